// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <cassert>
#include <mutex>
#include <thread>

std::mutex mutex;
int count;

#ifndef ROUNDS
#define ROUNDS 2
#endif

int main() {
  const auto add = [] {
    for (int i = 0; i < ROUNDS; ++i) {
      const std::lock_guard guard(mutex);
      ++count;
    }
  };
  std::thread first(add);
  std::thread second(add);
  first.join();
  second.join();
  assert(count == 2 * ROUNDS);
}
