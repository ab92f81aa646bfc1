// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: atomicity violation
//
// Both threads find the service not started, and both start it.
#include <atomic>
#include <cstdlib>
#include <thread>

int main() {
  std::atomic<bool> started{false};
  std::atomic<int> starts{0};
  const auto ensure_started = [&] {
    if (!started.load()) {
      started.store(true);
      ++starts;
    }
  };
  std::thread one(ensure_started);
  std::thread two(ensure_started);
  one.join();
  two.join();
  if (starts.load() != 1) std::abort();
}
