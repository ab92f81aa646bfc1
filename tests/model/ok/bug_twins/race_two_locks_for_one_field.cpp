// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/race_two_locks_for_one_field.cpp: both hold the same.
#include <mutex>
#include <thread>

int main() {
  std::mutex a;
  int count = 0;
  std::thread one([&] {
    const std::lock_guard guard(a);
    ++count;
  });
  std::thread two([&] {
    const std::lock_guard guard(a);
    ++count;
  });
  one.join();
  two.join();
  return count > 2;
}
