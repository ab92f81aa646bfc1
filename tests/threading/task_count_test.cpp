// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/task_count.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>

#include "support/blocked.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;

struct Work {
  bool finish(std::uint64_t n) {
    return tasks.finish(n, [this] { return got.load(); }, [this] { return put.load(); });
  }
  bool join(const Deadline& deadline) {
    WaitingFor what{Waitable::queue_join, this};
    return tasks.join([this] { return put.load(); }, deadline, what);
  }

  std::atomic<std::uint64_t> put{0}, got{0};
  TaskCount tasks;
};

TEST(TaskCount, FinishesNoMoreThanWerePut) {
  Work work;
  EXPECT_FALSE(work.finish(1));
  work.put = 5;
  EXPECT_FALSE(work.finish(6));
  EXPECT_EQ(work.tasks.finished(), 0u);
  EXPECT_TRUE(work.finish(3));
  EXPECT_FALSE(work.finish(3));
  EXPECT_EQ(work.tasks.finished(), 3u);
  EXPECT_TRUE(work.finish(2));
  EXPECT_FALSE(work.finish(1));
}

TEST(TaskCount, GotMayBeAnyLowerBound) {
  for (const std::uint64_t got : {0u, 1u, 2u, 3u}) {
    Work work;
    work.put = 3;
    work.got = got;
    Actor joiner([&] { EXPECT_TRUE(work.join(1h)); });
    for (int i = 0; i < 3; ++i) {
      joiner.until_blocked_on(work);
      EXPECT_TRUE(work.finish(1));
    }
    joiner.join();
    EXPECT_FALSE(work.finish(1));
  }
}

TEST(TaskCount, DoesNotRefuseWhatIsFinishedWhenItGivesUp) {
  bool joined = false;
  while (!joined) {  // if it was too fast
    Work work;
    work.put = 1;
    Actor joiner([&] { joined = work.join(20ms); });
    (void)joiner.blocks_on_or_ends(work);
    work.put = 0;  // as if all were finished without a wake
  }
}

TEST(TaskCount, CountsBeyond32Bits) {
  Work work;
  constexpr std::uint64_t kMany = std::uint64_t{1} << 53;
  work.put = kMany + 2;
  EXPECT_TRUE(work.finish(kMany));
  EXPECT_EQ(work.tasks.finished(), kMany);
  Actor joiner([&] { EXPECT_TRUE(work.join(forever)); });
  joiner.until_blocked_on(work);
  EXPECT_TRUE(work.finish(1));
  joiner.until_blocked_on(work);
  EXPECT_TRUE(work.finish(1));
  joiner.join();
  EXPECT_EQ(work.tasks.finished(), kMany + 2);
}

TEST(TaskCount, TheJoinersMarkRunsOverWithoutTouchingTheCount) {
  Work work;
  work.put = 2;
  EXPECT_TRUE(work.finish(1));
  for (int i = 0; i < 3000; ++i) {
    EXPECT_FALSE(work.join(1us));
    ASSERT_EQ(work.tasks.finished(), 1u);
  }
  Actor joiner([&] { EXPECT_TRUE(work.join(forever)); });
  joiner.until_blocked_on(work);
  EXPECT_TRUE(work.finish(1));
}

TEST(TaskCount, NoJoinerIsForgotten) {
  Work work;
  constexpr int kRounds = 3000;
  std::atomic<std::uint64_t> joined{0};
  Actor worker([&] {
    for (int i = 0; i < kRounds; ++i) {
      test::until([&] { return work.put > work.tasks.finished(); });
      EXPECT_TRUE(work.finish(1));
    }
  });
  Actor flighty([&] {
    while (joined < kRounds) (void)work.join(5us);
  });
  for (int i = 0; i < kRounds; ++i) {
    ++work.put;
    EXPECT_TRUE(work.join(forever));
    ++joined;
  }
}

}  // namespace
}  // namespace thrum
