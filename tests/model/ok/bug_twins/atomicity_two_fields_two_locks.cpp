// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/atomicity_two_fields_two_locks.cpp: one lock guards both
// fields.
#include <cstdlib>
#include <mutex>
#include <thread>

int main() {
  std::mutex low_mutex;
  std::mutex high_mutex;
  int low = 0;
  int high = 0;
  std::thread mover([&] {
    const std::scoped_lock guard(low_mutex, high_mutex);
    low = 5;
    high = 5;
  });
  std::thread reader([&] {
    const std::scoped_lock guard(low_mutex, high_mutex);
    if (low != high) std::abort();
  });
  mover.join();
  reader.join();
}
