// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A random walk: every thread that could go on is as likely as the others.
#include "check/strategies/strategy.h"

namespace thrum::check {
namespace {

void begin() noexcept {}
Thread* next(const Candidates& candidates) noexcept {
  return candidates.thread[decide_at_random(candidates.count)];
}

}  // namespace

constinit const Strategy kRandom{begin, next, decide_at_random};

}  // namespace thrum::check
