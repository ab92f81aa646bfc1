// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: deadlock
// Preemptions: 0
// Class: deadlock
//
// A waiter gives up the lock of the condition, but keeps another that the notifier needs.
#include <condition_variable>
#include <mutex>
#include <thread>

int main() {
  std::mutex outer;
  std::mutex inner;
  std::condition_variable condition;
  bool ready = false;
  std::thread waiter([&] {
    std::unique_lock big(outer);
    std::unique_lock lock(inner);
    condition.wait(lock, [&] { return ready; });
  });
  std::thread notifier([&] {
    const std::lock_guard big(outer);
    const std::lock_guard guard(inner);
    ready = true;
    condition.notify_one();
  });
  waiter.join();
  notifier.join();
}
