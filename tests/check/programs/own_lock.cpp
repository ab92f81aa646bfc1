// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A lock in a library that is not instrumented: what it orders is not seen.
void take();
void give();

#ifdef LIBRARY
#include <sched.h>

#include <atomic>

static std::atomic<bool> taken{false};
void take() {
  while (taken.exchange(true, std::memory_order_acquire)) sched_yield();
}
void give() { taken.store(false, std::memory_order_release); }
#else
#include <cassert>
#include <thread>

int main(int argc, char**) {
  int count = 0;
  const auto add = [&](bool locks) {
    if (locks) take();
    const int seen = count;
    count = seen + 1;
    if (locks) give();
  };
  std::thread other(add, true);
  add(argc == 1);
  other.join();
  assert(count == 2);
}
#endif
