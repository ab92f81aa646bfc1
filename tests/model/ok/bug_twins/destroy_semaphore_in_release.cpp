// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/destroy_semaphore_in_release.cpp: the permit is given and
// taken under a mutex, which may be destroyed once it is free.
#include <memory>
#include <mutex>
#include <thread>

namespace {

class Semaphore {
 public:
  void acquire() {
    const std::lock_guard guard(mutex_);
    while (permits_ == 0) {
      mutex_.unlock();
      std::this_thread::yield();
      mutex_.lock();
    }
    --permits_;
  }
  void release() {
    const std::lock_guard guard(mutex_);
    ++permits_;
  }

 private:
  std::mutex mutex_;
  int permits_ = 0;
};

}  // namespace

int main() {
  auto semaphore = std::make_unique<Semaphore>();
  std::thread giver([shared = semaphore.get()] { shared->release(); });
  semaphore->acquire();
  semaphore.reset();
  giver.join();
}
