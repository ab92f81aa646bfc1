// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/backoff.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "support/blocked.h"

namespace thrum {
namespace {

// Returns whether a wait begins with pauses.
bool pauses_first() {
  Backoff backoff = Backoff::even();
  backoff.spin();
  return backoff.pausing();
}

TEST(Backoff, EndsSoon) {
  for (Backoff backoff : {Backoff::even(), Backoff::growing(), Backoff::yielding()}) {
    int turns = 0;
    while (backoff.spin()) ++turns;
    EXPECT_LE(turns, 39);
    EXPECT_FALSE(backoff.spin());
    EXPECT_FALSE(backoff.pausing());
  }
}

TEST(Backoff, PausesAtFirst) {
  std::thread([] { EXPECT_TRUE(pauses_first()); }).join();
}

TEST(Backoff, DoesWithoutPausesWhereTheOtherNeedsThisProcessor) {
  const test::OneProcessor one;
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) {
      const auto start = std::chrono::steady_clock::now();
      while (std::chrono::steady_clock::now() - start < std::chrono::microseconds(20)) {
      }
      std::this_thread::yield();
    }
  });
  // A wait in vain: its first yield lets the other one run. Returns whether it began with pauses.
  const auto wait_in_vain = [] {
    Backoff backoff = Backoff::even();
    backoff.spin();
    const bool paused = backoff.pausing();
    while (backoff.pausing()) backoff.spin();
    backoff.spin();
    return paused;
  };
  std::thread([&] {
    while (wait_in_vain()) {
    }
    // Once in a while it looks whether they pay again. Now they do: this wait ends within them.
    while (!pauses_first()) {
    }
    EXPECT_TRUE(pauses_first());
  }).join();
  stop = true;
  other.join();
}

}  // namespace
}  // namespace thrum
