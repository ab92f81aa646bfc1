// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/timeout_counted_twice.cpp: it looks under the lock whether
// it was served.
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

int main() {
  std::mutex mutex;
  std::condition_variable condition;
  int waiting = 1;
  bool served = false;
  std::thread waiter([&] {
    std::unique_lock lock(mutex);
    const auto status = condition.wait_for(lock, std::chrono::milliseconds(1));
    lock.unlock();
    lock.lock();
    if (status == std::cv_status::timeout && !served) --waiting;
  });
  std::thread server([&] {
    const std::lock_guard guard(mutex);
    if (waiting == 0) return;
    served = true;
    --waiting;
  });
  waiter.join();
  server.join();
  if (waiting < 0 || (served && waiting != 0)) std::abort();
}
