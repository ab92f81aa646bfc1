// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The reader acquires, but nothing was released.
#include <atomic>
#include <thread>

int data = 0;
int seen = 0;
std::atomic<int> flag{0};

void first() {
  data = 1;
  flag.store(1, std::memory_order_relaxed);
}

void second() {
  while (flag.load(std::memory_order_acquire) == 0) std::this_thread::yield();
  seen = data;
}

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
