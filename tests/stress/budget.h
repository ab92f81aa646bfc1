// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdlib>

namespace thrum::test {

/// Calls `run(rounds)` with more and more rounds, each time twice as many, until the budget is
/// used: one second, or THRUM_STRESS_SECONDS. Goes on after that until `seen()`: what the test is
/// about must have happened.
template <class Run, class Seen>
void stress(Run run, Seen seen) {
  const char* const seconds = std::getenv("THRUM_STRESS_SECONDS");
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::duration<double>(seconds != nullptr ? std::atof(seconds) : 1.0);
  long rounds = 64;
  do {
    run(rounds);
    if (rounds < 1 << 16) rounds *= 2;
  } while (std::chrono::steady_clock::now() < end || !seen());
}

}  // namespace thrum::test
