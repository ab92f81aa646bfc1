// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// One party's time runs out as the last one arrives: all pass, or it is broken for all.
#include <thrum/barrier.h>

#include <chrono>
#include <cstdlib>
#include <thread>

int main() {
  thrum::Barrier barrier(2);
  bool timed = false;
  std::thread gives_up([&] { timed = barrier.wait(std::chrono::microseconds(50)).has_value(); });
  const bool last = barrier.wait(thrum::forever).has_value();
  gives_up.join();
  if (timed != last || barrier.broken() == last) std::abort();
}
