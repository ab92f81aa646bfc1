// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/deadlock_wait_holding_another.cpp: the other lock is
// released before the wait.
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
    big.unlock();
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
