// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Two threads never hold a lock at once, and the second is woken.
#include <thrum/lock.h>

#include <cstdlib>
#include <thread>

int main() {
  thrum::Lock lock;
  int inside = 0;  // not atomic: a race detector judges too
  const auto enter = [&] {
    const thrum::Guard guard(lock);
    if (++inside != 1) std::abort();
    --inside;
  };
  std::thread first(enter), second(enter);
  first.join();
  second.join();
}
