// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A local variable is not private once its address was given away.
#include <atomic>
#include <thread>

std::atomic<int*> given{nullptr};
std::atomic<bool> done{false};

void first() {
  int local = 0;
  given.store(&local);
  local = 1;
  while (!done.load(std::memory_order_relaxed)) std::this_thread::yield();
}

void second() {
  int* place = nullptr;
  while ((place = given.load()) == nullptr) std::this_thread::yield();
  *place = 2;
  done.store(true, std::memory_order_relaxed);
}

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
