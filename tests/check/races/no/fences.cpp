// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A release fence before the relaxed store, an acquire fence after the relaxed load.
#include <atomic>
#include <thread>

int data = 0;
int seen = 0;
std::atomic<int> flag{0};

void first() {
  data = 1;
  std::atomic_thread_fence(std::memory_order_release);
  flag.store(1, std::memory_order_relaxed);
}

void second() {
  while (flag.load(std::memory_order_relaxed) == 0) std::this_thread::yield();
  std::atomic_thread_fence(std::memory_order_acquire);
  seen = data;
}

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
