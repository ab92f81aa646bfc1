// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Of cancel() and the time, exactly one wins.
#include <thrum/timer.h>

#include <chrono>
#include <cstdlib>

int main() {
  int calls = 0;
  thrum::Timer timer(std::chrono::nanoseconds(1), [&] { ++calls; });
  timer.start();
  const int won = timer.cancel() ? 1 : 0;
  timer.join();
  if (calls + won != 1 || !timer.finished()) std::abort();
}
