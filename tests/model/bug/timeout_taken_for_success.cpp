// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: timeout
//
// wait_for() returns as well when time is up, and the caller goes on as if it had been notified.
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

int main() {
  std::mutex mutex;
  std::condition_variable condition;
  int result = 0;
  std::thread waiter([&] {
    std::unique_lock lock(mutex);
    condition.wait_for(lock, std::chrono::milliseconds(1), [&] { return result != 0; });
    if (result == 0) std::abort();
  });
  std::thread worker([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const std::lock_guard guard(mutex);
    result = 1;
    condition.notify_one();
  });
  waiter.join();
  worker.join();
}
