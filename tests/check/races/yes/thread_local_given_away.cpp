// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A thread_local of one thread is written by another.
#include <atomic>
#include <thread>

thread_local int mine = 0;
std::atomic<int*> given{nullptr};
std::atomic<bool> done{false};

void first() {
  given.store(&mine);
  mine = 1;
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
