// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: lost wake-up
// Preemptions: 2
// Class: lost wake-up
//
// The waiter looks before it takes the lock, and waits without looking again.
#include <condition_variable>
#include <mutex>
#include <thread>

int main() {
  std::mutex mutex;
  std::condition_variable condition;
  bool ready = false;
  const auto is_ready = [&] {
    const std::lock_guard guard(mutex);
    return ready;
  };
  std::thread waiter([&] {
    if (is_ready()) return;
    std::unique_lock lock(mutex);
    condition.wait(lock);
  });
  {
    const std::lock_guard guard(mutex);
    ready = true;
  }
  condition.notify_one();
  waiter.join();
}
