// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Waiters behind others wake by themselves, plead and sleep again: each release still reaches one.
#include <thrum/lock.h>

#include <cstdlib>
#include <thread>

int main() {
  thrum::Lock lock;
  int turns = 0;  // not atomic: a race detector judges too
  const auto take_turns = [&] {
    for (int i = 0; i < 2; ++i) {
      const thrum::Guard guard(lock);
      for (int k = 0; k < 16; ++k) std::this_thread::yield();  // longer than a waiter spins
      ++turns;
    }
  };
  std::thread first(take_turns), second(take_turns);
  take_turns();
  first.join();
  second.join();
  if (turns != 6 || !lock.acquire(thrum::nonblocking)) std::abort();
  lock.release();
}
