// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/leak_lock_blocks_the_next.cpp: the lock is released
// whichever way it leaves.
#include <atomic>
#include <mutex>
#include <thread>

int main() {
  std::mutex mutex;
  std::atomic<bool> cancelled{false};
  std::thread worker([&] {
    const std::lock_guard guard(mutex);
    if (cancelled.load()) return;
  });
  std::thread other([&] {
    cancelled.store(true);
    const std::lock_guard guard(mutex);
  });
  worker.join();
  other.join();
}
