// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What the detector promises besides exactness, which is exact_test.cpp.
#include "check/memory/detector.h"

#include <gtest/gtest.h>

#include <vector>

#include "arena.h"

using namespace thrum::check;

namespace {

class DetectorTest : public testing::Test {
 protected:
  DetectorTest() { begin(); }

  // An execution with threads 0 to n - 1.
  void begin(Tid n = 2) {
    detector.init(arena.begin(), arena.bytes());
    again(n);
  }
  void again(Tid n = 2) {
    detector.reset();
    for (Tid i = 1; i < n; ++i) detector.create(0, i);
  }

  const Arena arena{1 << 26};
  Detector detector;
  alignas(64) char memory[4096] = {};
  int a = 0, b = 0;
};

}  // namespace

TEST_F(DetectorTest, NamesBothAccessesAndTheByte) {
  detector.at_step(7);
  EXPECT_EQ(detector.write(0, memory, 8, 0x1111), nullptr);
  detector.at_step(70'000);
  const Race* const race = detector.read(1, memory + 6, 2, 0x2222);
  ASSERT_NE(race, nullptr);
  EXPECT_EQ(race->kind, Race::Kind::data_race);
  EXPECT_EQ(race->address, memory + 6);
  EXPECT_EQ(race->first.thread, 0U);
  EXPECT_EQ(race->first.kind, Access::Kind::write);
  EXPECT_EQ(race->first.size, 8U);
  EXPECT_EQ(race->first.step, 7U);
  EXPECT_EQ(race->first.pc, 0x1111U);
  EXPECT_EQ(race->second.thread, 1U);
  EXPECT_EQ(race->second.kind, Access::Kind::read);
  EXPECT_EQ(race->second.size, 2U);
  EXPECT_EQ(race->second.step, 70'000U);
  EXPECT_EQ(race->second.pc, 0x2222U);
}

TEST_F(DetectorTest, NamesTheReleaseThatWasNeverAcquired) {
  detector.release(0, &b);
  detector.write(0, memory, 4, 1);
  detector.at_step(3);
  detector.release(0, &a, 11);
  detector.release(0, &b, 12);
  detector.at_step(4);
  detector.acquire(1, memory + 100, 13);
  const Race* const race = detector.write(1, memory, 4, 2);
  ASSERT_NE(race, nullptr);
  EXPECT_EQ(race->released.kind, Edge::Kind::object);
  EXPECT_EQ(race->released.object, &a);
  EXPECT_EQ(race->released.pc, 11U);
  EXPECT_EQ(race->released.step, 3U);
  EXPECT_EQ(race->acquired.object, memory + 100);
  EXPECT_EQ(race->acquired.pc, 13U);
}

TEST_F(DetectorTest, SaysIfNothingWasReleasedSince) {
  detector.release(0, &a);
  detector.write(0, memory, 4, 1);
  const Race* const race = detector.write(1, memory, 4, 2);
  ASSERT_NE(race, nullptr);
  EXPECT_EQ(race->released.kind, Edge::Kind::none);
}

TEST_F(DetectorTest, AnExecutionKnowsNothingOfTheLast) {
  detector.write(0, memory, 64, 1);
  detector.freed(0, memory + 64, 64, 1);
  detector.atomic_write(0, memory + 128, 4, Order::release, 1);
  again();
  EXPECT_EQ(detector.write(1, memory, 64, 2), nullptr);
  EXPECT_EQ(detector.write(1, memory + 64, 64, 2), nullptr);
  detector.write(0, &a, 4, 1);
  detector.atomic_read(1, memory + 128, 4, Order::acquire, 2);
  EXPECT_NE(detector.write(1, &a, 4, 2), nullptr);
}

// The translations of addresses carry 16 bits of the execution's number.
TEST_F(DetectorTest, AnExecutionKnowsNothingOfThoseLongAgo) {
  detector.write(0, memory, 8, 1);
  detector.atomic_write(0, memory, 4, Order::release, 1);
  for (int i = 0; i < 70'000; ++i) {
    again();
    ASSERT_EQ(detector.write(1, memory, 8, 2), nullptr) << i;
    ASSERT_NE(detector.write(0, memory, 8, 1), nullptr) << i;
  }
}

TEST_F(DetectorTest, MemoryThatIsAllocatedIsNew) {
  detector.write(0, memory, 64, 1);
  detector.release(0, memory + 8);
  detector.freed(0, memory, 64, 2);
  detector.allocated(memory, 64);
  EXPECT_EQ(detector.write(1, memory, 64, 3), nullptr);
  detector.write(0, &a, 4, 4);
  detector.acquire(1, memory + 8);  // another object, at the place of the first
  EXPECT_NE(detector.write(1, &a, 4, 5), nullptr);
}

TEST_F(DetectorTest, AUseAfterFreeIsOneInAnyOrder) {
  detector.freed(0, memory, 64, 77);
  detector.release(0, &a);
  detector.acquire(1, &a);
  const Race* race = detector.read(1, memory + 60, 4, 2);
  ASSERT_NE(race, nullptr);
  EXPECT_EQ(race->kind, Race::Kind::use_after_free);
  EXPECT_EQ(race->first.kind, Access::Kind::free);
  EXPECT_EQ(race->first.pc, 77U);
  race = detector.freed(1, memory, 64, 3);
  ASSERT_NE(race, nullptr);
  EXPECT_EQ(race->kind, Race::Kind::double_free);
  EXPECT_EQ(detector.read(1, memory + 64, 1, 4), nullptr);
}

TEST_F(DetectorTest, AFreeThatAUseDoesNotHappenBeforeIsFound) {
  detector.atomic_read(0, memory, 4, Order::seq_cst, 1);
  const Race* const race = detector.freed(1, memory, 64, 2);
  ASSERT_NE(race, nullptr);
  EXPECT_EQ(race->kind, Race::Kind::free_while_used);
  EXPECT_EQ(race->second.kind, Access::Kind::free);
}

TEST_F(DetectorTest, OfALargeFreeTheBeginningAndWhatWasUsedIsKnown) {
  const Arena large(1 << 20);
  char* const at = static_cast<char*>(large.begin());
  detector.read(0, at + 500'000, 4, 1);
  EXPECT_EQ(detector.freed(0, at, large.bytes(), 2), nullptr);
  detector.release(0, &a);
  detector.acquire(1, &a);
  EXPECT_NE(detector.read(1, at + Detector::kFreedWhole - 8, 8, 3), nullptr);
  EXPECT_NE(detector.read(1, at + 500'000, 1, 3), nullptr);
}

TEST_F(DetectorTest, AHundredThreadsMayShareAByte) {
  again(100);
  for (Tid i = 0; i < 100; ++i) ASSERT_EQ(detector.read(i, memory, 1, i + 1), nullptr);
  for (Tid i = 1; i < 99; ++i) detector.join(0, i);
  const Race* const race = detector.write(0, memory, 1, 1000);
  ASSERT_NE(race, nullptr);  // with the one that was not joined
  EXPECT_EQ(race->first.thread, 99U);
}

TEST_F(DetectorTest, TooManyThreadsAreSaidNotGuessed) {
  again(kMaxThreads);
  EXPECT_TRUE(detector.complete());
  detector.create(0, kMaxThreads);
  EXPECT_FALSE(detector.complete());
  detector.write(0, memory, 1, 1);
  EXPECT_EQ(detector.write(1, memory, 1, 2), nullptr);
  again();
  EXPECT_TRUE(detector.complete());
  detector.write(0, memory, 1, 1);
  EXPECT_NE(detector.write(1, memory, 1, 2), nullptr);
}

TEST(DetectorInLittleMemory, SaysThatItRanOutAndRecovers) {
  const Arena arena(2 << 20);
  const Arena used(4 << 20);
  Detector detector;
  detector.init(arena.begin(), arena.bytes());
  for (int round = 0; round < 3; ++round) {
    detector.reset();
    EXPECT_TRUE(detector.complete());
    detector.create(0, 1);
    char* const at = static_cast<char*>(used.begin());
    detector.write(0, at, 1, 1);
    EXPECT_NE(detector.write(1, at, 1, 2), nullptr);
    for (std::size_t i = 0; i < used.bytes(); i += 512) detector.write(0, at + i, 1, 1);
    EXPECT_FALSE(detector.complete());
    EXPECT_EQ(detector.write(1, at, 1, 2), nullptr);
  }
}

TEST_F(DetectorTest, AHintOfWhatIsShared) {
  EXPECT_FALSE(detector.shared(0, memory, 8));
  detector.read(0, memory, 4, 1);
  EXPECT_FALSE(detector.shared(0, memory, 8));
  EXPECT_TRUE(detector.shared(1, memory, 8));
  EXPECT_FALSE(detector.shared(1, memory + 4, 4));
}
