// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A relaxed update by another thread goes on with the release sequence.
#include <atomic>
#include <thread>

int data = 0;
int seen = 0;
std::atomic<int> flag{0};

void first() {
  data = 1;
  flag.store(1, std::memory_order_release);
}

void second() {
  while (flag.load(std::memory_order_relaxed) != 1) std::this_thread::yield();
  flag.fetch_add(1, std::memory_order_relaxed);
}

void third() {
  while (flag.load(std::memory_order_acquire) != 2) std::this_thread::yield();
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
