// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/lost_wakeup_checked_before_lock.cpp: it looks under the
// lock, again and again.
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
    condition.wait(lock, [&] { return ready; });
  });
  {
    const std::lock_guard guard(mutex);
    ready = true;
  }
  condition.notify_one();
  waiter.join();
}
