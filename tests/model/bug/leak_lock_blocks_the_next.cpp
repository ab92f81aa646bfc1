// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: deadlock
// Preemptions: 1
// Class: leaked lock
//
// A thread that is cancelled leaves with the lock held, and the next waits for it.
#include <atomic>
#include <mutex>
#include <thread>

int main() {
  std::mutex mutex;
  std::atomic<bool> cancelled{false};
  std::thread worker([&] {
    mutex.lock();
    if (cancelled.load()) return;
    mutex.unlock();
  });
  std::thread other([&] {
    cancelled.store(true);
    const std::lock_guard guard(mutex);
  });
  worker.join();
  other.join();
}
