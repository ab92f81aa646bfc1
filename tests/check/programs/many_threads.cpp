// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// More threads than are prepared at first, with names and memory of their own; two count at once.
#include <pthread.h>

#include <atomic>
#include <cassert>
#include <string>
#include <thread>
#include <vector>

std::atomic<int> count;
thread_local std::string mine;

int main() {
  constexpr int kThreads = 20;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([i] {
      pthread_setname_np(pthread_self(), "counts");
      mine = "a string that is too long to be in place: " + std::to_string(i);
      count.store(count.load() + 1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  assert(count == kThreads);
}
