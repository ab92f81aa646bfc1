// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A fast thread enters the next round before a slow one has left the last.
#include <thrum/barrier.h>

#include <cstdlib>
#include <thread>

int main() {
  thrum::Barrier barrier(2);
  int rounds[2] = {0, 0};
  const auto party = [&](int me) {
    for (int i = 1; i <= 2; ++i) {
      rounds[me] = i;
      barrier.wait();
      if (rounds[1 - me] != i) std::abort();
      barrier.wait();
    }
  };
  std::thread other(party, 1);
  party(0);
  other.join();
}
