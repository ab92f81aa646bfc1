// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// BEFORE and STEPS make it another program, before and after the switch that is needed; MENDED, one
// without the error.
#include <atomic>
#include <cassert>
#include <thread>

std::atomic<int> count;

#ifndef STEPS
#define STEPS 1
#endif

int main() {
  const auto add = [] {
#ifdef BEFORE
    count.fetch_add(0);
#endif
    for (int i = 0; i < STEPS; ++i) {
#ifdef MENDED
      ++count;
#else
      count.store(count.load() + 1);
#endif
    }
  };
  std::thread first(add);
  std::thread second(add);
  first.join();
  second.join();
  assert(count == 2 * STEPS);
}
