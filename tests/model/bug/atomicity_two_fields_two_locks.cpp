// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: atomicity violation
//
// Two fields that belong together have a lock each, so that a reader sees one old and one new.
#include <cstdlib>
#include <mutex>
#include <thread>

int main() {
  std::mutex low_mutex;
  std::mutex high_mutex;
  int low = 0;
  int high = 0;
  std::thread mover([&] {
    {
      const std::lock_guard guard(low_mutex);
      low = 5;
    }
    {
      const std::lock_guard guard(high_mutex);
      high = 5;
    }
  });
  std::thread reader([&] {
    const std::scoped_lock guard(low_mutex, high_mutex);
    if (low != high) std::abort();
  });
  mover.join();
  reader.join();
}
