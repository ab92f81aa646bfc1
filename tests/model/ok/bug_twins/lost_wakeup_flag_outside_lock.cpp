// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/lost_wakeup_flag_outside_lock.cpp: the flag is set under
// the mutex.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

int main() {
  std::mutex mutex;
  std::condition_variable condition;
  std::atomic<bool> ready{false};
  std::thread waiter([&] {
    std::unique_lock lock(mutex);
    condition.wait(lock, [&] { return ready.load(); });
  });
  {
    const std::lock_guard guard(mutex);
    ready.store(true);
  }
  condition.notify_one();
  waiter.join();
}
