// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Threads that never met run on the same stack, one after the other.
#include <atomic>
#include <thread>

std::atomic<int> ended{0};

void work() {
  volatile int locals[64];
  for (volatile int& local : locals) local = 1;
  ended.fetch_add(1, std::memory_order_relaxed);
}

int main() {
  for (int i = 0; i < 8; ++i) {
    std::thread(work).detach();
    while (ended.load(std::memory_order_relaxed) != i + 1) std::this_thread::yield();
  }
}
