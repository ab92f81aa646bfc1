// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/wait.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <stop_token>
#include <vector>

#include "support/blocked.h"
#include "support/expect.h"
#include "support/page.h"
#include "thrum/backoff.h"
#include "thrum/lock.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::Stopwatch;

static_assert(noexcept(wait(std::declval<const Word&>(), 0, std::declval<const Deadline&>())));
static_assert(noexcept(wake(nullptr, 1)) && noexcept(requeue(nullptr, nullptr, 1)));
static_assert(sizeof(Word) == 4 && Word::is_always_lock_free);

// Waits as every caller does: until the word has changed, time is up or stop was requested.
Wake sleep_while(const Word& word, std::uint32_t expected, const Deadline& deadline) {
  for (;;) {
    const Wake why = wait(word, expected, deadline);
    if (why == Wake::timeout || why == Wake::stopped) return why;
    if (word.load(std::memory_order_acquire) != expected) return why;
  }
}

void change(Word& word, std::uint32_t value, int count = kEveryone) {
  word.store(value, std::memory_order_release);
  wake(&word, count);
}

TEST(Wait, DoesNotSleepIfTheWordDiffers) {
  const Word word{1};
  EXPECT_EQ(wait(word, 0, forever), Wake::changed);
}

TEST(Wait, DoesNotSleepIfNonblocking) {
  const Word word{0};
  EXPECT_EQ(wait(word, 0, nonblocking), Wake::timeout);
  EXPECT_EQ(wait(word, 0, 0s), Wake::timeout);
  EXPECT_EQ(wait(word, 0, -1s), Wake::timeout);
}

TEST(Wait, EndsAtTheDeadlineAndNotBefore) {
  const Word word{0};
  std::stop_source source;
  for (const std::stop_token& token : {std::stop_token(), source.get_token()}) {
    const Stopwatch watch;
    EXPECT_EQ(sleep_while(word, 0, Deadline(25ms).or_stop(token)), Wake::timeout);
    EXPECT_GE(watch.elapsed(), 25ms);
  }
}

TEST(Wait, ReturnsAtOnceIfTheDeadlineHasPassed) {
  const Word word{0};
  std::stop_source source;
  const Deadline past = Deadline::Clock::now() - 1h;
  EXPECT_EQ(sleep_while(word, 0, past), Wake::timeout);
  EXPECT_EQ(sleep_while(word, 0, past.or_stop(source.get_token())), Wake::timeout);
  const Deadline before_the_clock_began = Deadline::Clock::time_point(-1h);
  EXPECT_EQ(sleep_while(word, 0, before_the_clock_began), Wake::timeout);
  EXPECT_EQ(sleep_while(word, 0, before_the_clock_began.or_stop(source.get_token())),
            Wake::timeout);
}

TEST(Wait, AcceptsTheLongestLimitBelowForever) {
  Word word{0};
  std::stop_source source;
  const auto longest =
      Deadline::Clock::time_point(std::chrono::nanoseconds(std::chrono::nanoseconds::max()) - 1ns);
  for (const std::stop_token& token : {std::stop_token(), source.get_token()}) {
    word = 0;
    Actor sleeper(
        [&] { EXPECT_NE(sleep_while(word, 0, Deadline(longest).or_stop(token)), Wake::timeout); });
    sleeper.until_blocked_on(word);
    change(word, 1);
  }
}

TEST(Wait, IsStoppedIfStopWasRequestedBefore) {
  const Word word{0};
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(sleep_while(word, 0, source.get_token()), Wake::stopped);
  EXPECT_EQ(sleep_while(word, 0, Deadline(1h).or_stop(source.get_token())), Wake::stopped);
}

TEST(Wait, IsStoppedIfStopIsRequestedWhileItSleeps) {
  for (const bool with_time : {false, true}) {
    Word word{0};
    std::stop_source source;
    Wake why{};
    Actor sleeper([&] {
      why = sleep_while(
          word, 0,
          with_time ? Deadline(1h).or_stop(source.get_token()) : Deadline(source.get_token()));
    });
    sleeper.until_blocked_on(word);
    source.request_stop();
    sleeper.join();
    EXPECT_EQ(why, Wake::stopped);
  }
}

TEST(Wait, IsNotTouchedByAStopAfterwards) {
  Word word{0};
  std::stop_source source;
  Wake why{};
  Actor sleeper([&] { why = sleep_while(word, 0, source.get_token()); });
  sleeper.until_blocked_on(word);
  change(word, 1);
  sleeper.join();
  EXPECT_NE(why, Wake::stopped);
  source.request_stop();  // the callback is gone, and the stack it was on
}

TEST(Wait, TakesATokenThatCanNeverStop) {
  Word word{0};
  std::stop_token orphan;
  {
    std::stop_source source;
    orphan = source.get_token();
  }
  Actor sleeper([&] { EXPECT_NE(sleep_while(word, 0, orphan), Wake::stopped); });
  sleeper.until_blocked_on(word);
  change(word, 1);
}

TEST(Wait, OneSourceStopsManySleepers) {
  Word word{0};
  std::stop_source source;
  std::atomic<int> stopped{0};
  std::deque<Actor> sleepers;
  for (int i = 0; i < 5; ++i) {
    sleepers.emplace_back(
        [&] { stopped += sleep_while(word, 0, source.get_token()) == Wake::stopped; });
  }
  for (const Actor& sleeper : sleepers) sleeper.until_blocked_on(word);
  source.request_stop();
  sleepers.clear();
  EXPECT_EQ(stopped, 5);
}

// microsoft/STL#2218: the callback runs in the stopper's thread, inside request_stop().
TEST(Wait, CanBeStoppedByAThreadThatHoldsALockTheSleeperWants) {
  Word word{0};
  Lock lock;
  std::stop_source source;
  bool after = false;
  Actor sleeper([&] {
    EXPECT_EQ(sleep_while(word, 0, source.get_token()), Wake::stopped);
    const Guard guard(lock);
    after = true;
  });
  sleeper.until_blocked_on(word);
  {
    const Guard guard(lock);
    source.request_stop();
    EXPECT_FALSE(after);
  }
  sleeper.join();
  EXPECT_TRUE(after);
}

TEST(Wait, CanBeStoppedFromAnotherStopCallback) {
  Word word{0};
  std::stop_source first, second;
  const std::stop_callback chain(first.get_token(), [&] { second.request_stop(); });
  Actor sleeper([&] { EXPECT_EQ(sleep_while(word, 0, second.get_token()), Wake::stopped); });
  sleeper.until_blocked_on(word);
  first.request_stop();
}

TEST(Wait, SignalsDoNotShortenIt) {
  const Word word{0};
  std::stop_source source;
  for (const std::stop_token& token : {std::stop_token(), source.get_token()}) {
    Wake why{};
    std::chrono::nanoseconds elapsed{};
    Actor sleeper([&] {
      const Stopwatch watch;
      why = sleep_while(word, 0, Deadline(500ms).or_stop(token));
      elapsed = watch.elapsed();
    });
    int signals = 0;
    for (; sleeper.blocks_on_or_ends(word); ++signals) {
      sleeper.interrupt();
      const Word never{0};
      (void)sleep_while(never, 0, 20ms);
    }
    sleeper.join();
    EXPECT_GT(signals, 0);
    EXPECT_EQ(why, Wake::timeout);
    EXPECT_GE(elapsed, 500ms);
  }
}

TEST(Wake, IsNotRememberedWithoutASleeper) {
  const Word word{0};
  EXPECT_EQ(wake(&word, 1), 0);
  EXPECT_EQ(sleep_while(word, 0, 1ms), Wake::timeout);
}

TEST(Wake, ReturnsHowManyItWoke) {
  const Word word{0};
  std::atomic<bool> done{false};
  std::deque<Actor> sleepers;
  for (int i = 0; i < 5; ++i) {
    sleepers.emplace_back([&] {
      while (!done) (void)wait(word, 0, forever);
    });
    sleepers.back().until_blocked_on(word);
  }
  done = true;
  EXPECT_EQ(wake(&word, 0), 0);
  EXPECT_EQ(wake(&word, 2), 2);
  EXPECT_EQ(wake(&word, 1), 1);
  EXPECT_EQ(wake(&word, kEveryone), 2);
  EXPECT_EQ(wake(&word, kEveryone), 0);
}

TEST(Wake, FreesTheLongestWaitingFirst) {
  const Word word{0};
  std::atomic<std::size_t> freed{0};
  std::atomic<bool> done{false};
  std::vector<std::size_t> order(4);
  std::deque<Actor> sleepers;
  for (std::size_t& place : order) {
    sleepers.emplace_back([&] {
      while (!done) (void)wait(word, 0, forever);
      place = freed++;
    });
    sleepers.back().until_blocked_on(word);
  }
  done = true;
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_EQ(wake(&word, 1), 1);
    test::until([&] { return freed == i + 1; });  // the next is woken when this was seen
  }
  sleepers.clear();
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 1, 2, 3}));
}

TEST(Wake, WakesOnlyThoseOfItsOwnWord) {
  Word words[2]{};
  Actor first([&] { (void)sleep_while(words[0], 0, forever); });
  Actor second([&] { (void)sleep_while(words[1], 0, forever); });
  first.until_blocked_on(words[0]);
  second.until_blocked_on(words[1]);
  change(words[0], 1);
  first.join();
  EXPECT_FALSE(second.finished());
  change(words[1], 1);
}

TEST(Wake, LeavesErrnoAlone) {
  test::Page<Word> word(0u);
  const Word* const address = &*word;
  word.vanish();
  errno = 77;
  (void)wake(address, 1);
  (void)wake(reinterpret_cast<const Word*>(reinterpret_cast<const char*>(address) + 1), 1);
  EXPECT_EQ(errno, 77);
}

Word word_of_handler{0};

TEST(Wake, IsSafeInASignalHandler) {
  word_of_handler = 0;
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) { change(word_of_handler, 1); };
  sigaction(SIGUSR1, &action, &before);
  Actor sleeper([] { (void)sleep_while(word_of_handler, 0, forever); });
  sleeper.until_blocked_on(word_of_handler);
  raise(SIGUSR1);
  sleeper.join();
  sigaction(SIGUSR1, &before, nullptr);
}

TEST(Requeue, MovesSleepersWithoutWakingThem) {
  const Word from{0}, to{0};
  std::atomic<bool> done{false};
  std::deque<Actor> sleepers;
  std::stop_source source;
  for (const Deadline& deadline : {Deadline(forever), Deadline(1h), Deadline(source.get_token())}) {
    sleepers.emplace_back([&, deadline] {
      while (!done) (void)wait(from, 0, deadline);
    });
    sleepers.back().until_blocked_on(from);
  }
  done = true;
  EXPECT_EQ(requeue(&from, &to, 2), 2);
  EXPECT_EQ(requeue(&from, &to, kEveryone), 1);
  EXPECT_EQ(wake(&from, kEveryone), 0);
  if (test::words_are_futexes()) {
    EXPECT_EQ(wake(&to, kEveryone), 3);
  } else {
    EXPECT_EQ(wake(&to, kEveryone), 0) << "the portable waist wakes them at once";
  }
}

TEST(Requeue, AMovedSleeperStillHasItsDeadlineAndItsToken) {
  const Word from{0}, to{0};
  std::stop_source source;
  const auto ends_as = [&](Wake expected, const Deadline& deadline) {
    Wake why{};
    Actor sleeper([&] {
      do {
        why = wait(from, 0, deadline);
      } while (why == Wake::woken || why == Wake::changed);
    });
    const bool asleep = sleeper.blocks_on_or_ends(from);
    (void)requeue(&from, &to, 1);
    if (expected == Wake::stopped) source.request_stop();
    sleeper.join();
    EXPECT_EQ(why, expected);
    EXPECT_EQ(wake(&to, 1), 0);
    return asleep;
  };
  auto time = 50ms;
  while (!ends_as(Wake::timeout, time)) time *= 2;  // it was over before the sleeper was seen
  EXPECT_TRUE(ends_as(Wake::stopped, source.get_token()));
}

TEST(Requeue, ReturnsZeroIfNobodySleeps) {
  const Word from{0}, to{0};
  EXPECT_EQ(requeue(&from, &to, kEveryone), 0);
}

TEST(Backoff, IsBounded) {
  for (Backoff backoff : {Backoff::growing(), Backoff::even()}) {
    int turns = 0;
    while (backoff.spin()) ++turns;
    EXPECT_GT(turns, 0);
    EXPECT_FALSE(backoff.spin());
  }
}

}  // namespace
}  // namespace thrum
