// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// contended N: two threads take a lock N times each and sleep under it, and beside it; a third
// never meets it.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

std::mutex hot, cold;

void work(int n) {
  for (int i = 0; i < n; ++i) {
    {
      const std::lock_guard held(hot);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(300));  // lets the other in
  }
}

int main(int, char** argv) {
  const int n = std::atoi(argv[1]);
  std::thread one(work, n), two(work, n);
  for (int i = 0; i < 1000; ++i) {
    const std::lock_guard held(cold);
  }
  one.join();
  two.join();
  std::puts("done");
  return 7;
}
