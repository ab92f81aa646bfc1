// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/timer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>

#include "support/blocked.h"
#include "support/expect.h"
#include "threading/thread_support.h"
#include "thrum/threading.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::Stopwatch;
using test::until_blocked;

TEST(Timer, CallsItsFunctionAfterTheInterval) {
  Event called;
  Timer timer(20ms, [&] { called.set(); });
  const Stopwatch watch;
  timer.start();
  called.wait();
  EXPECT_GE(watch.elapsed(), 20ms);
  timer.join();
  EXPECT_TRUE(timer.finished());
}

TEST(Timer, PassesArguments) {
  int sum = 0;
  Timer timer(
      1ms, [&](int a, std::unique_ptr<int> b) { sum = a + *b; }, 2, std::make_unique<int>(3));
  timer.start();
  timer.join();
  EXPECT_EQ(sum, 5);
}

TEST(Timer, CountsFromStart) {
  std::atomic<bool> called{false};
  Timer timer(10ms, [&] { called = true; });
  const Stopwatch made;
  test::until([&] { return made.elapsed() > 15ms; });
  EXPECT_FALSE(called);
  const Stopwatch started;
  timer.start();
  timer.join();
  EXPECT_TRUE(called);
  EXPECT_GE(started.elapsed(), 10ms);
}

TEST(Timer, OfZeroAndNegativeIntervalsCallsAtOnce) {
  int calls = 0;
  for (const auto interval : {0ms, -1ms, -1'000'000'000ms}) {
    Timer timer(interval, [&] { ++calls; });
    timer.start();
    timer.join();
    EXPECT_TRUE(timer.finished());
  }
  EXPECT_EQ(calls, 3);
}

TEST(Timer, RefusesNaN) {
  EXPECT_THROW(Timer(std::chrono::duration<double>(NAN), [] {}), UsageError);
  EXPECT_THROW(Timer({.name = "t"}, std::chrono::duration<float>(NAN), [] {}), UsageError);
}

TEST(Timer, OfMoreThanTimeHasNeverFires) {
  bool called = false;
  Timer timer(std::chrono::duration<double>(1e300), [&] { called = true; });
  timer.start();
  until_blocked(timer, Waitable::event);
  EXPECT_TRUE(timer.cancel());
  timer.join();
  EXPECT_FALSE(called);
}

TEST(Timer, IsAThreadWithAThreadsOptions) {
  const Timer named({.name = "alarm", .daemon = true}, 1h, [] {});
  EXPECT_EQ(named.name(), "alarm");
  EXPECT_TRUE(named.daemon());
  const Timer unnamed(1h, [] {});
  EXPECT_TRUE(unnamed.name().starts_with("Thread-"));
  EXPECT_FALSE(unnamed.daemon());
}

TEST(Timer, InheritsDaemonAsAnyThread) {
  bool daemon = false;
  Thread thread({.daemon = true}, [&] { daemon = Timer(1h, [] {}).daemon(); });
  thread.start();
  thread.join();
  EXPECT_TRUE(daemon);
}

TEST(Timer, GivesItsStopTokenToAFunctionThatTakesOne) {
  std::stop_token given;
  Timer timer(0s, [&](std::stop_token stop) { given = std::move(stop); });
  timer.start();
  timer.join();
  EXPECT_EQ(given, timer.stop_token());
}

TEST(Timer, CancelKeepsTheFunctionFromBeingCalled) {
  bool called = false;
  Timer timer(1h, [&] { called = true; });
  timer.start();
  until_blocked(timer, Waitable::event);
  EXPECT_FALSE(timer.finished());
  EXPECT_TRUE(timer.cancel()) << "it won";
  EXPECT_TRUE(timer.finished());
  timer.join();  // at once
  EXPECT_FALSE(called);
  EXPECT_FALSE(timer.cancel()) << "an earlier cancel() won";
}

TEST(Timer, CancelBeforeStartWinsToo) {
  bool called = false;
  Timer timer(0s, [&] { called = true; });
  EXPECT_TRUE(timer.cancel());
  EXPECT_TRUE(timer.finished());
  timer.start();
  timer.join();
  EXPECT_FALSE(called);
}

TEST(Timer, CancelAfterItFiredDoesNotWin) {
  int calls = 0;
  Timer timer(0s, [&] { ++calls; });
  timer.start();
  timer.join();
  EXPECT_FALSE(timer.cancel());
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(timer.finished());
}

TEST(Timer, CancelWhileTheFunctionRunsDoesNotWin) {
  Event begun, go_on;
  Timer timer(0s, [&] {
    begun.set();
    go_on.wait();
  });
  timer.start();
  begun.wait();
  EXPECT_FALSE(timer.cancel());
  EXPECT_FALSE(timer.finished()) << "the function has not returned";
  go_on.set();
  timer.join();
  EXPECT_TRUE(timer.finished());
}

TEST(Timer, CancelByItsOwnFunctionDoesNotWin) {
  bool won = true;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(0s, [&] { won = timer->cancel(); });
  timer->start();
  timer->join();
  EXPECT_FALSE(won);
}

TEST(Timer, CancelRacingWithTheTimeHasExactlyOneWinner) {
  int fired = 0, cancelled = 0;
  for (int round = 0; round < 500; ++round) {
    std::atomic<int> calls{0};
    Timer timer(std::chrono::microseconds(round % 100), [&] { ++calls; });
    timer.start();
    for (int i = 0; i < (round * 7) % 50; ++i) test::let_others_run();
    const bool won = timer.cancel();
    timer.join();
    EXPECT_EQ(calls + won, 1);
    EXPECT_TRUE(timer.finished());
    (won ? cancelled : fired) += 1;
  }
  EXPECT_GT(fired, 0);
  EXPECT_GT(cancelled, 0);
}

TEST(Timer, CancelRacingWithCancelHasExactlyOneWinner) {
  for (int round = 0; round < 50; ++round) {
    bool called = false;
    Timer timer(1h, [&] { called = true; });
    timer.start();
    std::atomic<int> winners{0};
    {
      const Actor first([&] { winners += timer.cancel(); }),
          second([&] { winners += timer.cancel(); });
    }
    timer.join();
    EXPECT_EQ(winners, 1);
    EXPECT_FALSE(called);
  }
}

TEST(Timer, IsFinishedAlsoIfTheFunctionThrows) {
  test::Reports reports;
  Timer timer({.name = "t"}, 0s, [] { throw std::runtime_error("boom"); });
  timer.start();
  timer.join();
  EXPECT_TRUE(timer.finished());
  EXPECT_EQ(test::what_of(timer.exception()), "boom");
  EXPECT_EQ(reports.told(), std::vector<std::string>{"t: boom"});
}

TEST(Timer, IsFinishedAlsoIfTheFunctionExits) {
  Timer timer(0s, [] { pthread_exit(nullptr); });
  timer.start();
  timer.join();
  EXPECT_TRUE(timer.finished());
  EXPECT_EQ(timer.state().end, End::exited);
}

TEST(Timer, RequestStopCancelsIt) {
  bool called = false;
  Timer timer(1h, [&] { called = true; });
  timer.start();
  until_blocked(timer, Waitable::event);
  timer.request_stop();
  timer.join();
  EXPECT_FALSE(called);
  EXPECT_TRUE(timer.finished());
  EXPECT_FALSE(timer.cancel());
}

TEST(Timer, DestructorCancelsIt) {
  std::atomic<bool> called{false};
  {
    Timer timer(1h, [&] { called = true; });
    timer.start();
  }
  EXPECT_FALSE(called);
}

TEST(Timer, DestructorWaitsForAFunctionThatRuns) {
  Event begun;
  std::atomic<bool> done{false};
  {
    Timer timer(0s, [&](std::stop_token stop) {
      begun.set();
      test::until([&] { return stop.stop_requested(); });
      done = true;
    });
    timer.start();
    begun.wait();
  }
  EXPECT_TRUE(done);
}

TEST(Timer, MayBeMoved) {
  bool called = false;
  Timer first(1h, [&] { called = true; });
  first.start();
  Timer second(std::move(first));
  EXPECT_TRUE(second.cancel());
  second.join();
  EXPECT_FALSE(called);
}

TEST(Timer, MayBeAMemberOfAGroup) {
  bool called = false;
  Group group;
  Timer timer({.group = &group}, 1h, [&] { called = true; });
  timer.start();
  group.request_stop();
  group.join();
  EXPECT_FALSE(called);
  EXPECT_TRUE(timer.finished());
}

}  // namespace
}  // namespace thrum
