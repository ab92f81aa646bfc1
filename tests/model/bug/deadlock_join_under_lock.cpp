// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: deadlock
// Preemptions: 0
// Class: deadlock
//
// A thread is joined by the holder of a lock that it needs to end.
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
  worker.join();
  return steps == 2 ? 0 : 1;
}
