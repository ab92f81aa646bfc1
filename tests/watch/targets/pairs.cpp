// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// pairs: nanoseconds of an uncontended lock and unlock of a std::mutex, in a process of two
// threads: the least and the median of many short rounds. For
// bench/watch_overhead.py.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

int main() {
  constexpr int kRounds = 61, kPairs = 100'000;
  std::mutex mutex;
  std::atomic<bool> over{false};
  std::thread other([&] { over.wait(false); });
  std::vector<double> ns;
  long n = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kPairs; ++i) {
      const std::lock_guard guard(mutex);
      asm volatile("" : "+r"(n));
    }
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
    ns.push_back(time.count() / kPairs);
  }
  over = true;
  over.notify_all();
  other.join();
  std::ranges::sort(ns);
  std::printf("%.3f %.3f\n", ns.front(), ns[ns.size() / 2]);
}
