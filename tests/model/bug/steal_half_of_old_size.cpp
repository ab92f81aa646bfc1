// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: exception
// Preemptions: 1
// Class: work stealing
//
// A thief takes half of a victim whose size it read under a lock that it has released since.
#include <deque>
#include <mutex>
#include <thread>

namespace {

struct Worker {
  std::recursive_mutex mutex;
  std::deque<int> jobs{1, 2};
};

}  // namespace

int main() {
  Worker worker;
  int stolen = 0;
  std::thread owner([&] {
    const std::lock_guard guard(worker.mutex);
    worker.jobs.clear();
  });
  std::thread thief([&] {
    std::unique_lock lock(worker.mutex);
    const std::size_t half = worker.jobs.size() / 2;
    lock.unlock();
    for (std::size_t i = 0; i < half; ++i) {
      const std::lock_guard guard(worker.mutex);
      stolen += worker.jobs.at(i);
    }
  });
  owner.join();
  thief.join();
  return stolen > 1;
}
