// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Each holds a mutex, but not the same.
#include <mutex>
#include <thread>

int data = 0;
std::mutex a;
std::mutex b;

void first() {
  const std::lock_guard guard(a);
  data = 1;
}

void second() {
  const std::lock_guard guard(b);
  data = 2;
}

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
