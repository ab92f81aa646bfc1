// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/event_count.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <stdexcept>
#include <stop_token>

#include "support/blocked.h"
#include "support/expect.h"

namespace thrum {

struct EventCountTest {
  // As an announcement leaves it whose sleeper has just gone.
  static void leave_permit_taken(EventCount& sleepers) {
    sleepers.state_.fetch_or(EventCount::kWaking, std::memory_order_relaxed);
  }
  static void set_epoch(EventCount& sleepers, std::uint32_t epoch) {
    sleepers.epoch_.store(epoch, std::memory_order_relaxed);
  }
};

namespace {

using namespace std::chrono_literals;
using test::Actor;

// The smallest thing that sleeps on an event count: a number of permits.
struct Permits {
  bool ready() const { return free > 0 || closed; }
  Outcome take(bool slept) {
    for (int n = free; n > 0;) {
      if (!free.compare_exchange_weak(n, n - 1)) continue;
      if (slept && free > 0 && sleepers.announce()) EventCount::wake(sleepers.address());
      return Outcome::done;
    }
    return closed ? Outcome::closed : Outcome::would_block;
  }
  void give() {
    ++free;
    if (sleepers.announce()) EventCount::wake(sleepers.address());
  }
  Outcome block(const Deadline& deadline) {
    WaitingFor what{Waitable::word, this};
    return sleepers.block_on([this](bool slept) { return take(slept); }, [this] { return ready(); },
                             deadline, what);
  }

  std::atomic<int> free{0};
  std::atomic<bool> closed{false};
  EventCount sleepers;
};

TEST(EventCount, AnnouncesToNobodyForFree) {
  EventCount sleepers;
  EXPECT_FALSE(sleepers.announce());
  EXPECT_EQ(sleepers.address()->load(std::memory_order_relaxed), 0u);
}

TEST(EventCount, AnnouncesToASleeper) {
  Permits permits;
  Actor sleeper([&] { EXPECT_EQ(permits.block(forever), Outcome::done); });
  sleeper.until_blocked_on(permits);
  ++permits.free;
  ASSERT_TRUE(permits.sleepers.announce());
  EventCount::wake(permits.sleepers.address());
}

TEST(EventCount, ReturnsWhatTheAttemptReturns) {
  Permits permits;
  permits.free = 1;
  EXPECT_EQ(permits.block(forever), Outcome::done);
  EXPECT_EQ(permits.block(1ms), Outcome::would_block);
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(permits.block(source.get_token()), Outcome::would_block);
  permits.closed = true;
  EXPECT_EQ(permits.block(forever), Outcome::closed);
}

TEST(EventCount, DoesNotRefuseWhatIsThereWhenItGivesUp) {
  // What came without waking anybody, and what came before the last look.
  for (auto outcome = Outcome::would_block; outcome != Outcome::done;) {  // if it was too fast
    Permits permits;
    Actor sleeper([&] { outcome = permits.block(20ms); });
    (void)sleeper.blocks_on_or_ends(permits);
    permits.free = 1;
  }
  Permits permits;
  std::stop_source source;
  Actor stopped([&] { EXPECT_EQ(permits.block(source.get_token()), Outcome::done); });
  stopped.until_blocked_on(permits);
  permits.free = 1;
  source.request_stop();
}

TEST(EventCount, EpochMayRunOver) {
  Permits permits;
  EventCountTest::set_epoch(permits.sleepers, UINT32_MAX - 2);
  for (int i = 0; i < 6; ++i) {
    Actor sleeper([&] { EXPECT_EQ(permits.block(forever), Outcome::done); });
    sleeper.until_blocked_on(permits);
    permits.give();
  }
  EXPECT_LT(permits.sleepers.address()->load(std::memory_order_relaxed), 100u);
}

TEST(EventCount, WakesAll) {
  Permits permits;
  std::deque<Actor> sleepers;
  for (int i = 0; i < 5; ++i) {
    sleepers.emplace_back([&] { EXPECT_EQ(permits.block(forever), Outcome::closed); });
  }
  for (const Actor& sleeper : sleepers) sleeper.until_blocked_on(permits);
  permits.closed = true;
  permits.sleepers.wake_all();
}

// One wake is under way at most, so who is woken must see to the others: by success,

TEST(EventCount, PassesOneWakeFromSleeperToSleeper) {
  for (test::Rounds rounds(60); rounds.next();) {
    Permits permits;
    std::deque<Actor> sleepers;
    for (int i = 0; i < 4; ++i) {
      sleepers.emplace_back([&] { EXPECT_EQ(permits.block(forever), Outcome::done); });
    }
    for (const Actor& sleeper : sleepers) sleeper.until_blocked_on(permits);
    permits.free = 4;
    if (permits.sleepers.announce()) EventCount::wake(permits.sleepers.address());
  }
}

// by an exception,

TEST(EventCount, PassesAWakeOnThatAnExceptionCarriesAway) {
  Permits permits;
  std::atomic<bool> angry{false}, served{false};
  Actor unlucky([&] {
    WaitingFor what{Waitable::word, &permits};
    EXPECT_THROW(permits.sleepers.block_on(
                     [&](bool) {
                       if (angry) throw std::runtime_error("no");
                       return Outcome::would_block;
                     },
                     [&] { return permits.ready(); }, forever, what),
                 std::runtime_error);
  });
  unlucky.until_blocked_on(permits);
  Actor lucky([&] {
    EXPECT_EQ(permits.block(forever), Outcome::done);
    served = true;
  });
  lucky.until_blocked_on(permits);
  angry = true;
  permits.give();
  test::until([&] { return served.load(); });
  permits.sleepers.wake_all();
}

// and by giving up.

TEST(EventCount, PassesAWakeOnThatMeetsATimeOut) {
  int round = 0;
  for (test::Rounds rounds(120); rounds.next(); ++round) {
    Permits permits;
    std::atomic<int> served{0};
    const Deadline soon = 200us;
    Actor hasty([&] {
      // An attempt that never succeeds: what it was woken for is the other's.
      WaitingFor what{};
      (void)permits.sleepers.block_on([](bool) { return Outcome::would_block; },
                                      [&] { return permits.ready(); }, soon, what);
    });
    Actor patient([&] { served += permits.block(forever) == Outcome::done; });
    patient.until_blocked_on(permits);
    if (round % 2 == 0) {
      while (!soon.expired()) {
      }
    }
    permits.give();
    test::until([&] { return served == 1; });
  }
}

TEST(EventCount, ASleeperThatGaveUpTakesNoPermitToWakeWithIt) {
  Permits permits;
  for (test::Rounds rounds(120); rounds.next();) {
    EXPECT_EQ(permits.block(1us), Outcome::would_block);
    Actor sleeper([&] { EXPECT_EQ(permits.block(forever), Outcome::done); });
    sleeper.until_blocked_on(permits);
    permits.give();
  }
}

TEST(EventCount, AnAnnouncementThatNobodyHeardDoesNotSilenceTheNext) {
  Permits permits;
  for (int round = 0; round < 5; ++round) {
    EventCountTest::leave_permit_taken(permits.sleepers);
    Actor sleeper([&] { EXPECT_EQ(permits.block(forever), Outcome::done); });
    sleeper.until_blocked_on(permits);
    permits.give();
  }
}

TEST(EventCount, AnAnnouncementAsASleeperLeavesDoesNotSilenceTheNext) {
  // The sleeper leaves between being counted and being woken, again and again.
  Permits permits;
  std::atomic<bool> over{false};
  Actor flighty([&] {
    while (!over) (void)permits.block(1us);
  });
  for (test::Rounds rounds(120); rounds.next();) {
    std::atomic<bool> served{false};
    Actor sleeper([&] { served = permits.block(forever) == Outcome::done; });
    while (!served) {
      if (permits.free == 0) permits.give();
      test::let_others_run();
    }
  }
  over = true;
}

TEST(EventCount, NoWakeIsLostAmongManyThreads) {
  Permits permits;
  constexpr int kEach = 5000;
  std::deque<Actor> actors;
  for (int i = 0; i < 3; ++i) {
    actors.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) EXPECT_EQ(permits.block(forever), Outcome::done);
    });
    actors.emplace_back([&] {
      for (int n = 0; n < kEach;) {
        if (permits.block(20us) == Outcome::done) ++n;
      }
    });
    actors.emplace_back([&] {
      for (int n = 0; n < 2 * kEach; ++n) permits.give();
    });
  }
  actors.clear();
  EXPECT_EQ(permits.free, 0);
}

TEST(EventCount, ASleeperThatIsReadyButFailsTakesNapsAndStillGivesUp) {
  Permits permits;
  const auto never = [](bool) { return Outcome::would_block; };
  const auto always = [] { return true; };
  WaitingFor what{};
  const test::Stopwatch watch;
  EXPECT_EQ(permits.sleepers.block_on(never, always, 10ms, what), Outcome::would_block);
  EXPECT_GE(watch.elapsed(), 10ms);
  std::stop_source source;
  Actor sleeper([&] {
    WaitingFor mine{Waitable::word, &permits};
    EXPECT_EQ(permits.sleepers.block_on(never, always, source.get_token(), mine),
              Outcome::would_block);
  });
  sleeper.until_blocked_on(permits);
  source.request_stop();
}

}  // namespace
}  // namespace thrum
