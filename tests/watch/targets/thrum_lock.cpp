// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A deadlock of this project's own locks: their holder is in their word.
#include "thrum/threading.h"

thrum::Lock first, second;
thrum::Barrier both_hold(2);

void take(thrum::Lock& outer, thrum::Lock& inner) {
  outer.acquire();
  both_hold.wait();
  inner.acquire();
}

int main() {
  thrum::Thread one({.name = "one"}, [] { take(first, second); });
  thrum::Thread two({.name = "two"}, [] { take(second, first); });
  one.start();
  two.start();
  one.join();
  two.join();
}
