// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// reset() while a broken round is being left: the next round is whole.
#include <thrum/barrier.h>

#include <cstdlib>
#include <thread>

int main() {
  thrum::Barrier barrier(2);
  std::thread party([&] {
    if (barrier.wait(thrum::nonblocking)) std::abort();
  });
  barrier.reset();
  party.join();
  barrier.reset();
  std::thread other([&] {
    if (!barrier.wait(thrum::forever)) std::abort();
  });
  if (!barrier.wait(thrum::forever)) std::abort();
  other.join();
}
