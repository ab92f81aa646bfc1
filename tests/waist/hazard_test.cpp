// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/hazard.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>

#include "support/blocked.h"
#include "support/expect.h"
#include "thrum/event.h"

namespace thrum {
namespace {

using test::Actor;
using test::true_in_child;

bool is_free(int& object) {
  void* one = &object;
  return Hazard::unprotected({&one, 1}) == 1;
}

TEST(Hazard, ProtectsWhatItReturnedUntilItEnds) {
  int a = 1, b = 2;
  std::atomic<int*> link{&a};
  {
    Hazard hazard;
    EXPECT_TRUE(is_free(a)) << "nothing yet";
    EXPECT_EQ(&hazard.protect(link), &a);
    EXPECT_FALSE(is_free(a));
    EXPECT_TRUE(is_free(b));
    link = &b;
    EXPECT_EQ(&hazard.protect(link), &b);
    EXPECT_TRUE(is_free(a)) << "one at a time";
    EXPECT_FALSE(is_free(b));
  }
  EXPECT_TRUE(is_free(b));
}

TEST(Hazard, OfAnotherThreadProtectsToo) {
  int a = 1;
  std::atomic<int*> link{&a};
  Event protects, enough;
  Actor reader([&] {
    Hazard hazard;
    EXPECT_EQ(hazard.protect(link), 1);
    protects.set();
    enough.wait();
  });
  protects.wait();
  EXPECT_FALSE(is_free(a));
  EXPECT_TRUE(true_in_child([&] { return is_free(a); })) << "the child has no such thread";
  enough.set();
  reader.join();
  EXPECT_TRUE(is_free(a));
}

TEST(Hazard, InsideAnotherKeepsEverything) {
  int a = 1, b = 2, c = 3;
  std::atomic<int*> first{&a}, second{&b};
  Hazard outer;
  (void)outer.protect(first);
  {
    Hazard inner;
    (void)inner.protect(second);
    EXPECT_FALSE(is_free(a));
    EXPECT_FALSE(is_free(b));
    EXPECT_FALSE(is_free(c));
  }
  EXPECT_FALSE(is_free(a));
  EXPECT_TRUE(is_free(b));
}

TEST(Hazard, SortsTheFreeToTheFront) {
  std::array<int, 5> objects{};
  std::atomic<int*> link{&objects[1]};
  Hazard hazard;
  (void)hazard.protect(link);
  std::array<void*, 5> list{};
  for (std::size_t i = 0; i < list.size(); ++i) list[i] = &objects[i];
  EXPECT_EQ(Hazard::unprotected(list), 4u);
  EXPECT_EQ(list[4], &objects[1]);
}

}  // namespace
}  // namespace thrum
