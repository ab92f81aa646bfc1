// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/deadlock_join_under_lock.cpp: the lock is released before.
#include <mutex>
#include <thread>

int main() {
  std::mutex mutex;
  int steps = 0;
  std::unique_lock lock(mutex);
  std::thread worker([&] {
    const std::lock_guard guard(mutex);
    ++steps;
  });
  ++steps;
  lock.unlock();
  worker.join();
  return steps == 2 ? 0 : 1;
}
