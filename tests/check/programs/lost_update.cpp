// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <atomic>
#include <cassert>
#include <thread>

std::atomic<int> count;

#ifndef STEPS
#define STEPS 1
#endif

int main() {
  const auto add = [] {
    for (int i = 0; i < STEPS; ++i) count.store(count.load() + 1);
  };
  std::thread first(add);
  std::thread second(add);
  first.join();
  second.join();
  assert(count == 2 * STEPS);
}
