// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A spin lock with relaxed order excludes, but orders nothing.
#include <atomic>
#include <thread>

int data = 0;
std::atomic<bool> held{false};

void add() {
  while (held.exchange(true, std::memory_order_relaxed)) std::this_thread::yield();
  ++data;
  held.store(false, std::memory_order_relaxed);
}

void first() { add(); }

void second() { add(); }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
