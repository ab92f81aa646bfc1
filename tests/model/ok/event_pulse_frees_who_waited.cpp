// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// gh-57711: set() and clear() with nothing in between free everybody who was waiting before.
#include <thrum/event.h>

#include <cstdlib>
#include <thread>

int main() {
  thrum::Event waiting, event;
  bool seen = false;
  std::thread waiter([&] {
    // A pulse before the wait began is not seen; the second one, which stays, is.
    waiting.set();
    event.wait();
    seen = true;
  });
  waiting.wait();
  event.set();
  event.clear();
  event.set();
  waiter.join();
  if (!seen) std::abort();
}
