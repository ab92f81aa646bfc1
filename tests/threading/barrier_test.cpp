// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/barrier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <type_traits>
#include <vector>

#include "support/blocked.h"
#include "support/expect.h"
#include "support/page.h"
#include "thrum/event.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::refuses;
using test::Stopwatch;

static_assert(!std::is_copy_constructible_v<Barrier> && !std::is_move_constructible_v<Barrier>);

// What wait() did in one thread.
enum class Outcome { none, passed, broken };

Outcome outcome_of(Barrier& barrier) {
  try {
    (void)barrier.wait();
    return Outcome::passed;
  } catch (const BrokenBarrier&) {
    return Outcome::broken;
  }
}

// A thread that waits once, asleep inside.
struct Party {
  explicit Party(Barrier& barrier) : thread([this, &barrier] { outcome = outcome_of(barrier); }) {
    thread.until_blocked_on(barrier);
  }
  Outcome result() {
    thread.join();
    return outcome;
  }

  Outcome outcome = Outcome::none;
  Actor thread;
};

TEST(Barrier, PartiesOutOfRangeThrow) {
  EXPECT_TRUE(refuses("thrum::Barrier", [] { Barrier barrier(0); }));
  EXPECT_TRUE(refuses("thrum::Barrier", [] { Barrier barrier(-1); }));
  EXPECT_TRUE(refuses("thrum::Barrier", [] { Barrier barrier(std::int64_t{1} << 31); }));
  EXPECT_TRUE(refuses("thrum::Barrier", [] { Barrier barrier((std::int64_t{1} << 32) + 1); }));
  EXPECT_EQ(Barrier(0x7fffffff).parties(), 0x7fffffffu);
}

TEST(Barrier, IsWholeAndEmptyWhenNew) {
  const Barrier barrier(3);
  EXPECT_EQ(barrier.parties(), 3u);
  EXPECT_EQ(barrier.n_waiting(), 0u);
  EXPECT_FALSE(barrier.broken());
}

TEST(Barrier, OneParty) {
  int ran = 0;
  Barrier barrier(1, [&] { ++ran; });
  EXPECT_EQ(barrier.wait(), 0u);
  EXPECT_EQ(barrier.wait(nonblocking), 0u);
  EXPECT_EQ(ran, 2);
}

TEST(Barrier, BlocksUntilAllPartiesHaveCalled) {
  Barrier barrier(3);
  Party first(barrier);
  EXPECT_EQ(barrier.n_waiting(), 1u);
  Party second(barrier);
  EXPECT_EQ(barrier.n_waiting(), 2u);
  EXPECT_EQ(barrier.wait(), 2u);
  EXPECT_EQ(first.result(), Outcome::passed);
  EXPECT_EQ(second.result(), Outcome::passed);
  EXPECT_EQ(barrier.n_waiting(), 0u);
}

TEST(Barrier, ReturnsTheOrderOfArrivalUniqueInTheRound) {
  Barrier barrier(4);
  std::vector<std::uint32_t> indices(4);
  std::deque<Actor> parties;
  for (std::size_t i = 0; i < 3; ++i) {
    parties.emplace_back([&, i] { indices[i] = barrier.wait(); });
    parties.back().until_blocked_on(barrier);
  }
  indices[3] = barrier.wait();
  parties.clear();
  EXPECT_EQ(indices, (std::vector<std::uint32_t>{0, 1, 2, 3}));
}

TEST(Barrier, AFastThreadMayLapASlowOneAgainAndAgain) {
  Barrier barrier(2);
  int rounds[2] = {0, 0};  // each written by one party; the barrier lets the other read it
  Actor other([&] {
    for (int i = 1; i <= 200; ++i) {
      rounds[1] = i;
      barrier.wait();
      EXPECT_EQ(rounds[0], i);
      barrier.wait();
    }
  });
  for (int i = 1; i <= 200; ++i) {
    rounds[0] = i;
    barrier.wait();
    EXPECT_EQ(rounds[1], i);
    barrier.wait();
  }
}

TEST(Barrier, AFastThreadLapsASleeperThatHasNotRunYet) {
  // On one processor the idle thread is free, but gets it only when we sleep: in the next round.
  const test::OneProcessor one;
  Barrier barrier(2);
  Actor slow([&] {
    test::become_polite();
    for (int i = 0; i < 10; ++i) barrier.wait();
  });
  for (int i = 0; i < 10; ++i) {
    slow.until_blocked_on(barrier);
    barrier.wait();
  }
}

TEST(Barrier, TheLastToArriveRunsTheActionBeforeAnyGoesOn) {
  std::atomic<int> ran{0};
  std::atomic<std::uint64_t> by{0};
  Barrier barrier(3, [&] {
    ++ran;
    by = self().ident;
  });
  const auto party = [&] {
    barrier.wait();
    EXPECT_EQ(ran, 1);
  };
  Actor first(party), second(party);
  first.until_blocked_on(barrier);
  second.until_blocked_on(barrier);
  EXPECT_EQ(ran, 0);
  party();
  EXPECT_EQ(by, self().ident);
}

TEST(Barrier, TheActionRunsOnceARound) {
  int ran = 0;  // not atomic: the barrier guards it
  Barrier barrier(3, [&] { ++ran; });
  {
    std::deque<Actor> parties;
    for (int i = 0; i < 3; ++i) {
      parties.emplace_back([&] {
        for (int round = 1; round <= 100; ++round) {
          barrier.wait();
          EXPECT_EQ(ran, round);
          EXPECT_TRUE(barrier.wait(forever).has_value());
          EXPECT_EQ(ran, ++round);
        }
      });
    }
  }
  EXPECT_EQ(ran, 100);
}

TEST(Barrier, AnExceptionFromTheActionBreaksTheBarrier) {
  bool fail = true;
  Barrier barrier(2, [&] {
    if (fail) throw std::runtime_error("action");
  });
  Party other(barrier);
  EXPECT_THROW(barrier.wait(), std::runtime_error);
  EXPECT_EQ(other.result(), Outcome::broken);
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(outcome_of(barrier), Outcome::broken);
  barrier.reset();
  fail = false;
  Party again(barrier);
  EXPECT_EQ(barrier.wait(), 1u);
  EXPECT_EQ(again.result(), Outcome::passed);
}

TEST(Barrier, AnExceptionFromTheActionAlsoLeavesATimedWait) {
  Barrier barrier(1, [] { throw std::runtime_error("action"); });
  EXPECT_THROW((void)barrier.wait(1h), std::runtime_error);
  EXPECT_EQ(barrier.wait(1h), std::nullopt);
}

TEST(Barrier, WhoGivesUpBreaksTheBarrierForAll) {
  Barrier barrier(3);
  Party other(barrier);
  const Stopwatch watch;
  EXPECT_EQ(barrier.wait(20ms), std::nullopt);
  EXPECT_GE(watch.elapsed(), 20ms);
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(other.result(), Outcome::broken);
  EXPECT_EQ(outcome_of(barrier), Outcome::broken) << "late arrivals too";
  EXPECT_EQ(barrier.wait(1h), std::nullopt);
  EXPECT_EQ(barrier.n_waiting(), 0u);
}

TEST(Barrier, APollThatIsNotTheLastBreaksTheBarrier) {
  Barrier barrier(2);
  EXPECT_EQ(barrier.wait(nonblocking), std::nullopt);
  EXPECT_TRUE(barrier.broken());
}

TEST(Barrier, TheLastToArriveNeedsNoTime) {
  Barrier barrier(2);
  std::stop_source stopped;
  stopped.request_stop();
  Party first(barrier);
  EXPECT_EQ(barrier.wait(nonblocking), 1u);
  EXPECT_EQ(first.result(), Outcome::passed);
  Party second(barrier);
  EXPECT_EQ(barrier.wait(stopped.get_token()), 1u);
  EXPECT_EQ(second.result(), Outcome::passed);
}

TEST(Barrier, ItsTimeoutIsUsedByTheWaitWithoutADeadline) {
  Barrier barrier(2, {}, 20ms);
  const Stopwatch watch;
  EXPECT_THROW(barrier.wait(), BrokenBarrier);
  EXPECT_GE(watch.elapsed(), 20ms);
  EXPECT_TRUE(barrier.broken());

  Barrier patient(2, {}, 1ms);
  Actor waiter([&] { EXPECT_EQ(patient.wait(1h), 0u); });
  waiter.until_blocked_on(patient);
  const Stopwatch again;
  test::until([&] { return again.elapsed() > 5ms; });
  EXPECT_EQ(patient.wait(), 1u);
}

TEST(Barrier, StopBeforeTheCallBreaksIt) {
  Barrier barrier(2);
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(barrier.wait(source.get_token()), std::nullopt);
  EXPECT_TRUE(barrier.broken());
}

TEST(Barrier, StopEndsTheWaitAndBreaksIt) {
  Barrier barrier(3);
  std::stop_source source;
  Party other(barrier);
  Actor stopped([&] { EXPECT_EQ(barrier.wait(source.get_token()), std::nullopt); });
  stopped.until_blocked_on(barrier);
  source.request_stop();
  EXPECT_EQ(other.result(), Outcome::broken);
  EXPECT_TRUE(barrier.broken());
}

TEST(Barrier, StopAfterTheCallChangesNothing) {
  Barrier barrier(2);
  std::stop_source source;
  Actor other([&] { EXPECT_EQ(barrier.wait(source.get_token()), 0u); });
  other.until_blocked_on(barrier);
  EXPECT_EQ(barrier.wait(), 1u);
  other.join();
  source.request_stop();
  EXPECT_FALSE(barrier.broken());
}

TEST(Barrier, AbortBreaksItForAllWhoWaitNowOrLater) {
  Barrier barrier(3);
  Party first(barrier), second(barrier);
  barrier.abort();
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(first.result(), Outcome::broken);
  EXPECT_EQ(second.result(), Outcome::broken);
  EXPECT_EQ(outcome_of(barrier), Outcome::broken);
  barrier.abort();
  EXPECT_EQ(barrier.wait(nonblocking), std::nullopt);
  EXPECT_TRUE(barrier.broken());
}

TEST(Barrier, TheMessageOfABrokenBarrierNamesTheCall) {
  Barrier barrier(2);
  barrier.abort();
  try {
    barrier.wait();
    FAIL() << "did not throw";
  } catch (const BrokenBarrier& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("thrum::Barrier::wait: "));
  }
}

TEST(Barrier, AbortFromTheAction) {
  Barrier* self = nullptr;
  Barrier barrier(2, [&] { self->abort(); });
  self = &barrier;
  Party other(barrier);
  EXPECT_EQ(outcome_of(barrier), Outcome::broken);
  EXPECT_EQ(other.result(), Outcome::broken);
}

TEST(Barrier, ResetFromTheActionBreaksTheRound) {
  Barrier* self = nullptr;
  bool reset = true;
  Barrier barrier(2, [&] {
    if (reset) self->reset();
  });
  self = &barrier;
  Party other(barrier);
  EXPECT_EQ(outcome_of(barrier), Outcome::broken);
  EXPECT_EQ(other.result(), Outcome::broken);
  EXPECT_FALSE(barrier.broken());
  reset = false;
  Party again(barrier);
  EXPECT_EQ(barrier.wait(), 1u);
}

TEST(Barrier, ResetGivesThoseWhoWaitNowBrokenBarrierAndIsWholeAtOnce) {
  Barrier barrier(3);
  Party first(barrier), second(barrier);
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0u);
  EXPECT_EQ(first.result(), Outcome::broken);
  EXPECT_EQ(second.result(), Outcome::broken);
  Party third(barrier), fourth(barrier);
  EXPECT_EQ(barrier.wait(), 2u);
  EXPECT_EQ(third.result(), Outcome::passed);
  EXPECT_EQ(fourth.result(), Outcome::passed);
}

TEST(Barrier, ResetOfAnEmptyBarrierChangesNothing) {
  Barrier barrier(2);
  barrier.reset();
  barrier.reset();
  Party other(barrier);
  EXPECT_EQ(barrier.wait(), 1u);
}

TEST(Barrier, ResetMendsABrokenBarrier) {
  Barrier barrier(2);
  for (int i = 0; i < 10; ++i) {
    Party broken(barrier);
    barrier.abort();
    if (i % 2 == 0) {
      EXPECT_EQ(broken.result(), Outcome::broken);  // else it may still be inside
    }
    barrier.reset();
    EXPECT_FALSE(barrier.broken());
    EXPECT_EQ(broken.result(), Outcome::broken);
    Party other(barrier);
    EXPECT_EQ(barrier.wait(), 1u);
    EXPECT_EQ(other.result(), Outcome::passed);
  }
}

TEST(Barrier, AbortDuringAResetStaysUntilTheNextReset) {
  const test::OneProcessor one;
  Barrier barrier(2);
  Outcome outcome{};
  Actor slow([&] {
    test::become_polite();
    outcome = outcome_of(barrier);
  });
  slow.until_blocked_on(barrier);
  barrier.reset();
  barrier.abort();  // it is still inside
  slow.join();
  EXPECT_EQ(outcome, Outcome::broken);
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(barrier.wait(nonblocking), std::nullopt);
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
  Party other(barrier);
  EXPECT_EQ(barrier.wait(), 1u);
}

// A round that is full and stays so until the test lets its action end.
struct FullRound {
  Event began, end;
  Barrier barrier{2, [this] {
                    began.set();
                    end.wait();
                  }};
  Outcome outcomes[2]{};
  Actor first{[this] { outcomes[0] = outcome_of(barrier); }};
  Actor second{[this] { outcomes[1] = outcome_of(barrier); }};

  FullRound() { began.wait(); }
};

TEST(Barrier, ArrivalsBeyondThePartiesWaitOutsideForTheNextRound) {
  FullRound round;
  Party third(round.barrier);
  EXPECT_EQ(round.barrier.n_waiting(), 0u);
  round.end.set();
  (void)round.barrier.wait();
  EXPECT_EQ(third.result(), Outcome::passed);
}

TEST(Barrier, GivingUpOutsideBreaksNothing) {
  FullRound round;
  std::stop_source source;
  EXPECT_EQ(round.barrier.wait(nonblocking), std::nullopt);
  const Stopwatch watch;
  EXPECT_EQ(round.barrier.wait(10ms), std::nullopt) << "the deadline counts outside as well";
  EXPECT_GE(watch.elapsed(), 10ms);
  Actor stopped([&] { EXPECT_EQ(round.barrier.wait(source.get_token()), std::nullopt); });
  stopped.until_blocked_on(round.barrier);
  source.request_stop();
  stopped.join();
  EXPECT_FALSE(round.barrier.broken());
  round.end.set();
  round.first.join();
  round.second.join();
  EXPECT_EQ(round.outcomes[0], Outcome::passed);
  EXPECT_EQ(round.outcomes[1], Outcome::passed);
}

TEST(Barrier, AbortWhileTheActionRunsBreaksThoseInsideAndOutside) {
  FullRound round;
  Party outside(round.barrier);
  round.barrier.abort();
  EXPECT_EQ(outside.result(), Outcome::broken);
  round.end.set();
  round.first.join();
  round.second.join();
  EXPECT_EQ(round.outcomes[0], Outcome::broken);
  EXPECT_EQ(round.outcomes[1], Outcome::broken);
}

TEST(Barrier, ArrivalsDuringAResetWaitOutsideForTheNextRound) {
  FullRound round;
  round.barrier.reset();  // whoever runs the action is still inside
  EXPECT_FALSE(round.barrier.broken());
  Party third(round.barrier);
  round.end.set();
  (void)round.barrier.wait();
  EXPECT_EQ(third.result(), Outcome::passed);
  round.first.join();
  round.second.join();
  EXPECT_EQ(round.outcomes[0], Outcome::broken);
  EXPECT_EQ(round.outcomes[1], Outcome::broken);
}

TEST(Barrier, SpuriousWakesLetNobodyPass) {
  Barrier barrier(4);
  std::stop_source source;
  std::atomic<int> passed{0};
  std::deque<Actor> parties;
  for (const Deadline& deadline : {Deadline(forever), Deadline(1h), Deadline(source.get_token())}) {
    parties.emplace_back([&, deadline] { passed += barrier.wait(deadline).has_value(); });
  }
  for (int i = 0; i < 10; ++i) {
    for (const Actor& party : parties) party.until_blocked_on(barrier);
    for (int half = 0; half < 2; ++half) {
      wake(reinterpret_cast<const Word*>(&barrier) + half, kEveryone);
    }
    parties.front().interrupt();
  }
  EXPECT_EQ(passed, 0);
  barrier.wait();
  parties.clear();
  EXPECT_EQ(passed, 3);
}

TEST(Barrier, ATimeoutThatRacesTheLastArrivalHasOneOutcomeForAll) {
  test::Rounds rounds(500);
  for (int i = 0; rounds.next(); ++i) {
    Barrier barrier(2);
    std::optional<std::uint32_t> timed;
    Actor gives_up([&] { timed = barrier.wait(std::chrono::microseconds(30 + i % 120)); });
    const Outcome last = outcome_of(barrier);
    gives_up.join();
    EXPECT_EQ(last == Outcome::passed, timed.has_value());
    EXPECT_EQ(last == Outcome::broken, barrier.broken());
  }
}

TEST(Barrier, AnAbortOrResetThatRacesTheLastArrivalHasOneOutcomeForAll) {
  test::Rounds rounds(300);
  for (int i = 0; rounds.next(); ++i) {
    Barrier barrier(2);
    std::optional<Party> first(std::in_place, barrier);
    Actor breaker([&] { i % 2 == 0 ? barrier.abort() : barrier.reset(); });
    // After a reset this arrival may begin the next round, alone.
    const auto mine = barrier.wait(i % 2 == 0 ? Deadline(forever) : Deadline(2ms));
    EXPECT_EQ(first->result() == Outcome::passed, mine.has_value());
  }
}

TEST(Barrier, ManyThreadsManyRoundsWithBreaksInBetween) {
  Barrier barrier(3);
  std::atomic<bool> stop{false};
  std::atomic<int> passed{0}, broken{0};
  Actor breaker([&] {
    while (!stop) {
      barrier.abort();
      barrier.reset();
      test::let_others_run();
      barrier.reset();
      test::let_others_run();
    }
  });
  {
    std::deque<Actor> parties;
    for (int i = 0; i < 3; ++i) {
      parties.emplace_back([&] {
        while (!stop) {
          if (barrier.wait(1ms)) {
            ++passed;
          } else {
            ++broken;
          }
          if (passed > 100 && broken > 100) stop = true;
        }
      });
    }
  }
  breaker.join();
  barrier.reset();
  EXPECT_EQ(barrier.n_waiting(), 0u);
  EXPECT_FALSE(barrier.broken());
}

TEST(Barrier, MayBeDestroyedWhenAllButTheLastToArriveHaveReturned) {
  test::who_is_freed_destroys<Barrier>(
      test::Rounds(2000), [](Barrier&) {},
      [](Barrier& barrier, int) { EXPECT_EQ(barrier.wait(), 0u); },
      [](Barrier& barrier, int) {
        while (barrier.n_waiting() == 0) sched_yield();  // the other destroys: it comes first
        EXPECT_EQ(barrier.wait(), 1u);
      },
      2);
}

TEST(Barrier, WhatEveryPartyDidHappensBeforeWhatEveryPartyDoes) {
  constexpr int kParties = 3;
  Barrier barrier(kParties);
  int data[kParties] = {};  // not atomic: the thread sanitizer judges
  std::deque<Actor> parties;
  for (int i = 0; i < kParties; ++i) {
    parties.emplace_back([&, i] {
      for (int round = 1; round <= 150; ++round) {
        data[i] = round;
        barrier.wait();
        for (const int other : data) EXPECT_EQ(other, round);
        barrier.wait();
      }
    });
  }
}

}  // namespace
}  // namespace thrum
