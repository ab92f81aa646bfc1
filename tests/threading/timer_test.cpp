// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/timer.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "support/blocked.h"
#include "support/expect.h"
#include "support/refusing_pthread_create.h"
#include "support/sanitizer.h"
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
  until_blocked(timer, Waitable::timer);
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
  until_blocked(timer, Waitable::timer);
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
  until_blocked(timer, Waitable::timer);
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

// --- Pending: alive, but no thread of the system

TEST(Timer, WhilePendingIsAliveListedAndBlocked) {
  const std::size_t before = active_count();
  Timer timer({.name = "alarm"}, 1h, [] {});
  EXPECT_FALSE(timer.is_alive());
  timer.start();
  EXPECT_TRUE(timer.is_alive());
  EXPECT_TRUE(test::is_listed(timer));
  EXPECT_EQ(active_count(), before + 1) << "who looks after timers is not listed";
  EXPECT_NE(timer.ident(), 0u);
  EXPECT_EQ(timer.native_id(), 0u) << "the system has no thread for it yet";
  EXPECT_FALSE(timer.stack());
  EXPECT_FALSE(timer.switches());
  EXPECT_EQ(timer.exception(), nullptr);
  EXPECT_TRUE(timer.state().text().starts_with("blocked on a timer at ")) << timer.state().text();
  EXPECT_FALSE(timer.join(1ms));
  EXPECT_THROW(timer.start(), UsageError) << "a thread starts once";
  EXPECT_THROW(timer.set_daemon(true), UsageError);
  EXPECT_TRUE(timer.cancel());
  EXPECT_FALSE(timer.is_alive());
  EXPECT_FALSE(test::is_listed(timer));
  EXPECT_EQ(timer.state().life, Life::terminated);
  EXPECT_EQ(timer.state().end, End::returned);
  EXPECT_THROW(timer.start(), UsageError);
}

TEST(Timer, HasAThreadOfTheSystemWhenItsTimeHasCome) {
  Event begun, go_on;
  std::uint32_t own_id = 0;
  ThreadHandle current;
  Timer timer({.name = "alarm"}, 1ms, [&] {
    own_id = get_native_id();
    current = current_thread();
    begun.set();
    go_on.wait();
  });
  timer.start();
  begun.wait();
  EXPECT_EQ(timer.native_id(), own_id);
  EXPECT_EQ(current, timer);
  until_blocked(timer, Waitable::event);
  go_on.set();
  timer.join();
}

TEST(Timer, CancelFreesEveryoneWhoJoins) {
  Timer timer(1h, [] {});
  timer.start();
  std::atomic<int> joined{0};
  {
    const auto join = [&] {
      timer.join();
      ++joined;
    };
    Actor first(join), second(join), third([&] { joined += timer.join(1h); });
    for (const Actor* actor : {&first, &second, &third}) {
      test::until([&] { return test::is_blocked(actor->tid()); });
    }
    EXPECT_EQ(joined, 0);
    EXPECT_TRUE(timer.cancel());
  }
  EXPECT_EQ(joined, 3);
}

TEST(Timer, WhenItFiresFreesWhoJoinedBefore) {
  Timer timer(20ms, [] {});
  timer.start();
  Actor joiner([&] { timer.join(); });
  joiner.join();
  EXPECT_FALSE(timer.is_alive());
}

TEST(Timer, CancelDestroysTheFunctionBeforeItReturns) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = held;
  Timer timer(1h, [held = std::move(held)] {});
  timer.start();
  EXPECT_FALSE(seen.expired());
  timer.cancel();
  EXPECT_TRUE(seen.expired());
}

// A function that owns who owns the timer: cancelling destroys the timer inside cancel().
TEST(Timer, MayBeDestroyedByItsFunctionsDestructor) {
  struct Session {
    std::optional<Timer> timer;
    Event* gone;
    ~Session() {
      timer.reset();
      gone->set();
    }
  };
  for (const bool by_stop : {false, true}) {
    Event gone;
    auto session = std::make_shared<Session>();
    session->gone = &gone;
    session->timer.emplace(1h, [session] {});
    session->timer->start();
    Timer& timer = *session->timer;
    session.reset();
    EXPECT_FALSE(gone.is_set());
    EXPECT_TRUE(by_stop ? timer.request_stop() : timer.cancel());
    EXPECT_TRUE(gone.is_set());
  }
}

TEST(Timer, MayBeDestroyedRightAfterCancel) {
  for (int i = 0; i < 1000; ++i) {
    auto timer = std::make_unique<Timer>(std::chrono::microseconds(i % 200), [] {});
    timer->start();
    (void)timer->cancel();
    timer.reset();
  }
}

TEST(Timer, AsADaemonFiresAlsoIfItWasLetGo) {
  Event fired;
  {
    Timer timer({.daemon = true}, 5ms, [&] { fired.set(); });
    timer.start();
  }
  fired.wait();
}

TEST(Timer, FunctionThatBlocksDelaysNoOther) {
  Event go_on, fired;
  Timer blocks(1ms, [&] { go_on.wait(); });
  Timer later(2ms, [&] { fired.set(); });
  blocks.start();
  later.start();
  fired.wait();
  go_on.set();
}

TEST(Timer, EarlierThanAllPendingFiresBeforeThem) {
  Timer hour(1h, [] {}), never(std::chrono::hours::max(), [] {});
  never.start();
  hour.start();
  Event fired;
  Timer soon(1ms, [&] { fired.set(); });
  soon.start();
  fired.wait();
  EXPECT_TRUE(hour.is_alive());
  EXPECT_TRUE(never.is_alive());
}

TEST(Timer, MayStartAnotherInItsFunction) {
  Event done;
  Timer second(1ms, [&] { done.set(); });
  Timer first(1ms, [&] { second.start(); });
  first.start();
  done.wait();
  first.join();
  second.join();
}

TEST(Timer, ThreadsAreMadeInTheOrderOfTheirTimesAndOfTheirStarts) {
  for (;;) {
    std::vector<std::unique_ptr<Timer>> timers;
    std::vector<std::pair<int, int>> expected;  // interval, start
    for (int i = 0; i < 24; ++i) {
      const int ms = 30 + i * 7 % 5 * 10;
      timers.push_back(std::make_unique<Timer>(std::chrono::milliseconds(ms), [] {}));
      expected.emplace_back(ms, i);
    }
    const Stopwatch watch;
    for (const auto& timer : timers) timer->start();
    if (watch.elapsed() > 5ms) continue;  // their times are not in the order of their intervals
    std::sort(expected.begin(), expected.end());
    std::vector<std::uint32_t> ids;
    for (const auto& [ms, i] : expected) {
      timers[static_cast<std::size_t>(i)]->join();
      ids.push_back(timers[static_cast<std::size_t>(i)]->native_id());
    }
    // The kernel counts threads up as they are made, until its numbers begin again.
    const auto falls = std::is_sorted_until(ids.begin(), ids.end());
    if (falls != ids.end() && falls[-1] - *falls > 10'000)
      std::rotate(ids.begin(), falls, ids.end());
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end())) << testing::PrintToString(ids);
    return;
  }
}

TEST(Timer, EachOfManyFiresOnceAndNotBeforeItsTime) {
  using Clock = std::chrono::steady_clock;
  struct Shot {
    Clock::time_point due;
    std::atomic<int> calls{0};
    std::atomic<bool> early{false};
  };
  constexpr std::size_t kMany = 300;
  std::vector<Shot> shots(kMany);
  std::vector<std::unique_ptr<Timer>> timers;
  std::vector<std::unique_ptr<Timer>> others;  // come and go around them
  for (std::size_t i = 0; i < kMany; ++i) {
    const auto interval = std::chrono::microseconds(1 + i * 7919 % 40'000);
    timers.push_back(std::make_unique<Timer>(interval, [&shot = shots[i]] {
      if (Clock::now() < shot.due) shot.early = true;
      ++shot.calls;
    }));
    shots[i].due = Clock::now() + interval;
    timers.back()->start();
    others.push_back(std::make_unique<Timer>(1h + interval, [] {}));
    others.back()->start();
    if (i % 3 == 0) {
      EXPECT_TRUE(others[i / 3]->cancel());
    }
  }
  for (const auto& timer : timers) timer->join();
  for (const Shot& shot : shots) {
    EXPECT_EQ(shot.calls, 1);
    EXPECT_FALSE(shot.early);
  }
}

TEST(Timer, AHundredThousandPendingAreOneThread) {
  const std::size_t many = test::address_sanitizer || test::thread_sanitizer ? 5'000 : 100'000;
  const auto threads_of_the_system = [] {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  const auto threads_before = threads_of_the_system();
  const std::size_t before = active_count();
  std::atomic<int> calls{0};
  std::vector<std::unique_ptr<Timer>> timers;
  for (std::size_t i = 0; i < many; ++i) {
    timers.push_back(
        std::make_unique<Timer>(1h + std::chrono::microseconds(i * 7919 % many), [&] { ++calls; }));
    timers.back()->start();
  }
  EXPECT_EQ(active_count(), before + many);
  EXPECT_LE(threads_of_the_system(), threads_before + 1);
  for (std::size_t i = 0; i < many / 2; ++i) ASSERT_TRUE(timers[i * 7919 % many]->cancel());
  EXPECT_EQ(active_count(), before + many - many / 2);
  Event fired;
  Timer soon(1ms, [&] { fired.set(); });
  soon.start();
  fired.wait();
  timers.clear();
  EXPECT_EQ(calls, 0);
}

TEST(Timer, RunsWithTheSignalMaskOfWhoStartedTheFirst) {
  if (test::address_sanitizer) GTEST_SKIP() << "its pthread_create gives the mask of who calls it";
  sigset_t blocked, before, seen;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  Timer timer(1ms, [&] { pthread_sigmask(SIG_SETMASK, nullptr, &seen); });
  timer.start();
  timer.join();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_TRUE(sigismember(&seen, SIGUSR2));
  EXPECT_FALSE(sigismember(&seen, SIGUSR1)) << "who looks after timers blocks all, they do not";
}

// --- A system that refuses threads

TEST(ATimerRefused, WhenItsTimeHasComeEndsByTheExcepthook) {
  if (!test::Refusal::possible()) GTEST_SKIP() << "a shared build's calls cannot be replaced";
  test::Reports reports;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = held;
  bool called = false;
  Timer timer({.name = "t"}, 20ms, [&called, held = std::move(held)] { called = true; });
  const test::RefusalTo refusal("thrum-timers");
  timer.start();
  timer.join();
  EXPECT_FALSE(called);
  EXPECT_TRUE(seen.expired());
  EXPECT_TRUE(timer.finished());
  EXPECT_FALSE(timer.cancel());
  EXPECT_EQ(timer.native_id(), 0u);
  EXPECT_EQ(timer.state().end, End::threw);
  EXPECT_THROW(std::rethrow_exception(timer.exception()), std::system_error);
  ASSERT_EQ(reports.told().size(), 1u);
  EXPECT_TRUE(reports.told()[0].starts_with("t: thrum::Timer: ")) << reports.told()[0];
  Event fired;  // and the next is fine
  Timer next(1ms, [&] { fired.set(); });
  next.start();
  fired.wait();
}

TEST(ATimerRefused, WhenItsTimeHasComeFailsItsGroup) {
  if (!test::Refusal::possible()) GTEST_SKIP() << "a shared build's calls cannot be replaced";
  Group group;
  Timer timer({.group = &group}, 20ms, [] {});
  const test::RefusalTo refusal("thrum-timers");
  timer.start();
  EXPECT_THROW(group.join(), std::system_error);
}

TEST(ATimerRefused, AtTheStartIsNewAgain) {
  if (!test::Refusal::possible()) GTEST_SKIP() << "a shared build's calls cannot be replaced";
  Event fired;
  Timer timer(1ms, [&] { fired.set(); });
  {
    const test::Refusal refusal(0);  // the thread that looks after timers
    EXPECT_THROW(timer.start(), std::system_error);
  }
  EXPECT_FALSE(timer.is_alive());
  EXPECT_EQ(timer.state().life, Life::new_);
  EXPECT_FALSE(timer.finished());
  timer.start();
  fired.wait();
}

TEST(TheTimersThread, IsADaemonInADumpAndNotInEnumerate) {
  Timer timer(1h, [] {});
  timer.start();
  test::until([] {
    const std::string dump = dump_text();
    const auto at = dump.find("\"thrum-timers\" (daemon), ident ");
    return at != std::string::npos && dump.find("blocked on a timer at ", at) < dump.find('\n', at);
  });
  for (const ThreadHandle& thread : threading::enumerate()) {
    EXPECT_NE(thread.name(), "thrum-timers");
  }
}

TEST(TheTimersThread, EndsSoonAfterTheLastTimer) {
  const auto there = [] { return dump_text().find("\"thrum-timers\"") != std::string::npos; };
  for (int i = 0; i < 2; ++i) {
    Timer timer(1h, [] {});
    timer.start();
    test::until(there);
    timer.cancel();
    test::until([&] { return !there(); });
  }
}

}  // namespace
}  // namespace thrum
