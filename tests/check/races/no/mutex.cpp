// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Both hold the mutex.
#include <mutex>
#include <thread>

int data = 0;
std::mutex mutex;

void first() {
  const std::lock_guard guard(mutex);
  data = 1;
}

void second() {
  const std::lock_guard guard(mutex);
  data = 2;
}

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
