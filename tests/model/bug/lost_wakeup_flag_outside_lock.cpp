// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: lost wake-up
// Preemptions: 2
// Class: lost wake-up
//
// The flag is set without the mutex: between the waiter's look and its sleep, where the
// notification is lost.
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
  ready.store(true);
  condition.notify_one();
  waiter.join();
}
