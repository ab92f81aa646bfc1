// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: race
// Preemptions: 0
// Class: data race
//
// Each thread holds a lock, but not the same one.
#include <mutex>
#include <thread>

int main() {
  std::mutex a;
  std::mutex b;
  int count = 0;
  std::thread one([&] {
    const std::lock_guard guard(a);
    ++count;
  });
  std::thread two([&] {
    const std::lock_guard guard(b);
    ++count;
  });
  one.join();
  two.join();
  return count > 2;
}
