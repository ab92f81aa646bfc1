// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: lost wake-up
// Preemptions: 0
// Class: lost wake-up
//
// A semaphore that notifies only when it was empty: of two releases in a row, the second wakes
// nobody.
#include <condition_variable>
#include <mutex>
#include <thread>

namespace {

class Semaphore {
 public:
  void acquire() {
    std::unique_lock lock(mutex_);
    while (count_ == 0) condition_.wait(lock);
    --count_;
  }
  void release() {
    const std::lock_guard guard(mutex_);
    if (count_++ == 0) condition_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  int count_ = 0;
};

}  // namespace

int main() {
  Semaphore semaphore;
  std::thread one([&] { semaphore.acquire(); });
  std::thread two([&] { semaphore.acquire(); });
  std::thread giver([&] {
    semaphore.release();
    semaphore.release();
  });
  one.join();
  two.join();
  giver.join();
}
