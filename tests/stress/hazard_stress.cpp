// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <atomic>

#include "budget.h"
#include "support/blocked.h"
#include "thrum/hazard.h"

namespace thrum {
namespace {

using test::Actor;

// Objects go away under a reader, which must see none that is gone. Without membarrier() about one
// in a million does.
TEST(HazardStress, NothingIsReadOnceItIsFree) {
  struct Object {
    std::atomic<bool> gone{false};
  };
  std::array<Object, 1024> objects;
  std::atomic<Object*> link{objects.data()};
  std::atomic<bool> over{false};
  std::atomic<long> reads{0};
  Actor reader([&] {
    long seen = 0;
    while (!over) {
      Hazard hazard;
      ASSERT_FALSE(hazard.protect(link).gone.load(std::memory_order_relaxed));
      ++seen;
    }
    reads = seen;
  });
  test::stress(
      [&](long rounds) {
        for (long i = 1; i <= rounds * 16; ++i) {
          Object& next = objects.at(static_cast<std::size_t>(i) % objects.size());
          if (&next == link) continue;
          next.gone.store(false, std::memory_order_relaxed);
          void* left = link.exchange(&next);
          while (Hazard::unprotected({&left, 1}) == 0) {
          }
          static_cast<Object*>(left)->gone.store(true, std::memory_order_relaxed);
        }
      },
      [] { return true; });
  over = true;
  reader.join();
  EXPECT_GT(reads, 0);
}

}  // namespace
}  // namespace thrum
