// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Three threads that each hold a lock and want the next one's.
#include <barrier>
#include <mutex>
#include <thread>
#include <vector>

std::mutex left, middle, right;
std::barrier all_hold(3);

void take(std::mutex& first, std::mutex& second) {
  const std::lock_guard outer(first);
  all_hold.arrive_and_wait();
  const std::lock_guard inner(second);
}

int main() {
  std::vector<std::jthread> threads;
  threads.emplace_back([] { take(left, middle); });
  threads.emplace_back([] { take(middle, right); });
  threads.emplace_back([] { take(right, left); });
}
