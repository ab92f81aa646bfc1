// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The five laws of the waist (docs/waist.md).
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <chrono>
#include <stop_token>

#include "support/blocked.h"
#include "support/page.h"
#include "thrum/wait.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;

// One sleeper on a word that nobody ever changes, so that only the reported reason counts. It
// ignores spurious returns until `aimed` is set, once it sleeps.
struct Sleeper {
  explicit Sleeper(const Deadline& until)
      : deadline(until), thread([this] {
          test::become_polite();
          do {
            why = wait(word, 0, deadline);
          } while ((why == Wake::woken || why == Wake::changed) && !aimed);
        }) {
    asleep = thread.blocks_on_or_ends(word);
    aimed = true;
  }
  // A test that fails leaves it asleep.
  ~Sleeper() {
    test::until([this] {
      wake(&word, kEveryone);
      return thread.finished();
    });
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  Word word{0};
  const Deadline deadline;
  std::atomic<bool> aimed{false};
  Wake why{};
  bool asleep = false;
  Actor thread;
};

TEST(Law1SuccessWins, AWakeAfterAStopIsReportedAsWoken) {
  const test::OneProcessor one;
  int both = 0;
  while (both < 20) {
    std::stop_source source;
    Sleeper sleeper(source.get_token());
    ASSERT_TRUE(sleeper.asleep);
    source.request_stop();
    const int woken = wake(&sleeper.word, 1);
    sleeper.thread.join();
    EXPECT_EQ(sleeper.why, woken == 1 ? Wake::woken : Wake::stopped);
    both += woken;
  }
}

TEST(Law1SuccessWins, AStopAfterAWakeDoesNotSwallowIt) {
  const test::OneProcessor one;
  for (int i = 0; i < 20;) {
    std::stop_source source;
    Sleeper sleeper(source.get_token());
    ASSERT_TRUE(sleeper.asleep);
    // Without futex_waitv it is awake for a moment now and then.
    if (wake(&sleeper.word, 1) == 0) continue;
    source.request_stop();
    sleeper.thread.join();
    EXPECT_EQ(sleeper.why, Wake::woken);
    ++i;
  }
}

void wake_when_time_is_up(std::stop_token token) {
  const test::OneProcessor one;
  int both = 0;
  while (both < 10) {
    Sleeper sleeper(Deadline(10ms).or_stop(token));
    if (!sleeper.asleep) continue;  // this machine is slow: too late already
    // The sleeper's time passes while it gets no processor.
    while (!sleeper.deadline.expired()) {
    }
    const int woken = wake(&sleeper.word, 1);
    sleeper.thread.join();
    EXPECT_EQ(sleeper.why, woken == 1 ? Wake::woken : Wake::timeout);
    both += woken;
    if (!test::words_are_futexes()) ++both;  // there the time-out needs a lock before it counts
  }
}

TEST(Law1SuccessWins, AWakeAtTheDeadlineIsReportedAsWoken) { wake_when_time_is_up({}); }

TEST(Law1SuccessWins, AWakeAtTheDeadlineIsReportedAsWokenWithAStopTokenToo) {
  std::stop_source source;
  wake_when_time_is_up(source.get_token());
}

TEST(Law1SuccessWins, AStopIsReportedOnlyIfItWasRequested) {
  // Words that change and change back while a thread with a token goes to sleep.
  std::stop_source source;
  Word word{0};
  std::atomic<bool> done{false};
  std::atomic<int> stopped{0};
  Actor waiter([&] {
    for (int i = 0; i < 2000; ++i) {
      stopped += wait(word, 0, Deadline(20us).or_stop(source.get_token())) == Wake::stopped;
    }
    done = true;
  });
  while (!done) {
    word.store(1, std::memory_order_release);
    word.store(0, std::memory_order_release);
  }
  waiter.join();
  EXPECT_EQ(stopped, 0);
}

TEST(Law2WakeUsesOnlyTheAddress, AnUnreadablePageIsNotTouched) {
  test::Page<Word> word(0u);
  const Word* const address = &*word;
  word.vanish();
  EXPECT_EQ(wake(address, 1), 0);
  EXPECT_EQ(wake(address, kEveryone), 0);
}

TEST(Law2WakeUsesOnlyTheAddress, AnUnmappedPageIsNotTouched) {
  const Word* address = nullptr;
  {
    test::Page<Word> word(0u);
    address = &*word;
  }
  EXPECT_EQ(wake(address, 1), 0);
}

TEST(Law2WakeUsesOnlyTheAddress, TheThreadThatWasFreedMayDestroyTheWord) {
  test::Rounds rounds(200);
  while (rounds.next()) {
    test::Page<Word> word(0u);
    Word* const address = &*word;
    Actor waiter([&] {
      while (address->load(std::memory_order_acquire) == 0) (void)wait(*address, 0, forever);
      word.vanish();
    });
    address->store(1, std::memory_order_release);
    wake(address, 1);
  }
}

TEST(Law3WokenMayBeSpurious, ASignalHandlerEndsTheSleepAsWoken) {
  if (!test::words_are_futexes()) GTEST_SKIP() << "the portable waist sleeps on";
  std::stop_source source;
  for (const Deadline& deadline : {Deadline(forever), Deadline(source.get_token())}) {
    Word word{0};
    Wake why{};
    std::atomic<bool> aimed{false}, awake{false};
    Actor sleeper([&] {
      do {
        why = wait(word, 0, deadline);
      } while (!aimed);
      awake = true;
    });
    sleeper.until_blocked_on(word);
    aimed = true;
    // Once more if it was between two sleeps.
    test::until([&] {
      sleeper.interrupt();
      return awake.load();
    });
    sleeper.join();
    EXPECT_EQ(why, Wake::woken);
  }
}

TEST(Law4TheWordAloneDecides, ADifferentWordBeatsTimeAndStop) {
  std::stop_source source;
  source.request_stop();
  const Word word{1};
  EXPECT_EQ(wait(word, 0, forever), Wake::changed);
  EXPECT_EQ(wait(word, 0, nonblocking), Wake::changed);
  EXPECT_EQ(wait(word, 0, source.get_token()), Wake::changed);
  EXPECT_EQ(wait(word, 0, Deadline(nonblocking).or_stop(source.get_token())), Wake::changed);
}

TEST(Law4TheWordAloneDecides, AStoreBeforeTheSleepIsNeverMissed) {
  // Whoever stores and then wakes frees a thread wherever it is between its test and its sleep.
  std::stop_source source;
  for (const Deadline& deadline : {Deadline(forever), Deadline(source.get_token())}) {
    std::array<Word, 2> turn{};
    Actor other([&] {
      for (std::uint32_t i = 0; i < 500; ++i) {
        while (turn[0].load(std::memory_order_acquire) == i) (void)wait(turn[0], i, deadline);
        turn[1].store(i + 1, std::memory_order_release);
        wake(&turn[1], 1);
      }
    });
    for (std::uint32_t i = 0; i < 500; ++i) {
      turn[0].store(i + 1, std::memory_order_release);
      wake(&turn[0], 1);
      while (turn[1].load(std::memory_order_acquire) == i) (void)wait(turn[1], i, deadline);
    }
  }
}

TEST(Law5StoreThenWakeAndLoadAfterwards, CarriesTheDataAcross) {
  test::Rounds rounds(100);
  for (int i = 0; rounds.next(); ++i) {
    Word word{0};
    int data = 0;  // not atomic: the thread sanitizer judges
    Actor reader([&] {
      while (word.load(std::memory_order_acquire) == 0) (void)wait(word, 0, forever);
      EXPECT_EQ(data, i);
    });
    data = i;
    word.store(1, std::memory_order_release);
    wake(&word, 1);
  }
}

}  // namespace
}  // namespace thrum
