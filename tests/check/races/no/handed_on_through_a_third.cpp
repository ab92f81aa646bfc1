// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Happens-before is transitive.
#include <atomic>
#include <thread>

int data = 0;
int seen = 0;
std::atomic<int> a{0};
std::atomic<int> b{0};

void first() {
  data = 1;
  a.store(1, std::memory_order_release);
}

void second() {
  while (a.load(std::memory_order_acquire) == 0) std::this_thread::yield();
  b.store(1, std::memory_order_release);
}

void third() {
  while (b.load(std::memory_order_acquire) == 0) std::this_thread::yield();
  seen = data;
}

int main() {
  std::thread one(first);
  std::thread two(second);
  std::thread three(third);
  one.join();
  two.join();
  three.join();
}
