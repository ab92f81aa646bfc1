// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: use after free
// Preemptions: 0
// Class: destruction race
//
// release() gives the permit, and then looks for sleepers in a semaphore that who took the permit
// has freed.
#include <atomic>
#include <memory>
#include <thread>

namespace {

class Semaphore {
 public:
  void acquire() {
    sleepers_.fetch_add(1);
    while (permits_.load() == 0) permits_.wait(0);
    permits_.fetch_sub(1);
    sleepers_.fetch_sub(1);
  }
  void release() {
    permits_.fetch_add(1);
    if (sleepers_.load() != 0) permits_.notify_one();
  }

 private:
  std::atomic<int> permits_{0};
  std::atomic<int> sleepers_{0};
};

}  // namespace

int main() {
  auto semaphore = std::make_unique<Semaphore>();
  std::thread giver([shared = semaphore.get()] { shared->release(); });
  semaphore->acquire();
  semaphore.reset();
  giver.join();
}
