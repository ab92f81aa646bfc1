// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/blocked.h"
#include "support/expect.h"
#include "support/refusing_pthread_create.h"
#include "threading/thread_support.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::Refusal;
using test::refuses;
using test::Stopwatch;
using test::until_blocked;

static_assert(!std::is_copy_constructible_v<Thread> && !std::is_copy_assignable_v<Thread>);
static_assert(std::is_nothrow_move_constructible_v<Thread> &&
              std::is_nothrow_move_assignable_v<Thread>);
static_assert(std::is_copy_constructible_v<ThreadHandle>);
static_assert(!std::is_convertible_v<void (*)(), Thread>);

// --- Construction

int called_with = 0;
void call_with(int n) { called_with = n; }

TEST(Thread, RunsItsTargetWithItsArguments) {
  Thread thread(call_with, 42);
  EXPECT_EQ(called_with, 0) << "created new, it runs at start()";
  thread.start();
  thread.join();
  EXPECT_EQ(called_with, 42);
}

TEST(Thread, TakesOptionsThenTargetThenArguments) {
  int sum = 0;
  Thread thread({.name = "adder", .daemon = false}, [&](int a, int b) { sum = a + b; }, 2, 3);
  EXPECT_EQ(thread.name(), "adder");
  thread.start();
  thread.join();
  EXPECT_EQ(sum, 5);
}

TEST(Thread, TakesOptionsAlone) {
  Thread thread({.name = "idle"});
  thread.start();
  thread.join();
  EXPECT_EQ(thread.name(), "idle");
  EXPECT_EQ(thread.state().end, End::returned);
}

TEST(Thread, WithNothingToRunReturnsAtOnce) {
  Thread thread;
  thread.start();
  thread.join();
  EXPECT_EQ(thread.state().end, End::returned);
}

TEST(Thread, TakesOptionsThatHaveAName) {
  ThreadOptions options;
  options.name = "kept";
  Thread first(options, [] {});
  Thread second(options);
  EXPECT_EQ(first.name(), "kept");
  EXPECT_EQ(second.name(), "kept") << "duplicates are fine";
}

TEST(Thread, MovesArgumentsThatOnlyMove) {
  int got = 0;
  Thread thread([&](std::unique_ptr<int> n) { got = *n; }, std::make_unique<int>(7));
  thread.start();
  thread.join();
  EXPECT_EQ(got, 7);
}

TEST(Thread, MovesATargetThatOnlyMoves) {
  int got = 0;
  Thread thread([&got, n = std::make_unique<int>(7)] { got = *n; });
  thread.start();
  thread.join();
  EXPECT_EQ(got, 7);
}

TEST(Thread, PassesReferencesByStdRef) {
  int n = 0;
  Thread thread([](int& to) { to = 7; }, std::ref(n));
  thread.start();
  thread.join();
  EXPECT_EQ(n, 7);
}

struct Counter {
  int n = 0;
  void add(int by) { n += by; }
};

TEST(Thread, CallsMemberFunctions) {
  Counter counter;
  Thread by_pointer(&Counter::add, &counter, 1);
  Thread by_reference(&Counter::add, std::ref(counter), 2);
  by_pointer.start();
  by_pointer.join();
  by_reference.start();
  by_reference.join();
  EXPECT_EQ(counter.n, 3);
}

TEST(Thread, DecaysArguments) {
  std::string text = "before";
  std::string got, literal;
  Thread thread(
      [&](auto copy, auto characters) {
        static_assert(std::is_same_v<decltype(copy), std::string>);
        static_assert(std::is_same_v<decltype(characters), const char*>);
        got = copy;
        literal = characters;
      },
      text, "literal");
  text = "after";
  thread.start();
  thread.join();
  EXPECT_EQ(got, "before");
  EXPECT_EQ(literal, "literal");
}

// Counts who is alive of what a thread was given.
struct Alive {
  explicit Alive(std::atomic<int>& n) : count(&n) { ++*count; }
  Alive(const Alive& other) : count(other.count) { ++*count; }
  Alive& operator=(const Alive&) = delete;
  ~Alive() { --*count; }
  std::atomic<int>* count;
};

TEST(Thread, ArgumentsAreDestroyedAsSoonAsTheTargetIsDone) {
  std::atomic<int> alive{0}, during{0};
  Thread thread([&during, kept = Alive(alive)](const Alive& given) { during = *given.count + 0; },
                Alive(alive));
  EXPECT_GE(alive, 2);
  thread.start();
  thread.join();
  EXPECT_GE(during, 2);
  EXPECT_EQ(alive, 0) << "although the Thread still is";
}

TEST(Thread, ArgumentsAreDestroyedAlsoIfTheTargetThrowsOrExits) {
  std::atomic<int> alive{0};
  const test::Reports reports;
  Thread throws([](const Alive&) { throw 1; }, Alive(alive));
  Thread exits([](const Alive&) { pthread_exit(nullptr); }, Alive(alive));
  throws.start();
  exits.start();
  throws.join();
  exits.join();
  EXPECT_EQ(alive, 0);
}

TEST(Thread, ArgumentsOfOneThatNeverStartsAreDestroyedWithIt) {
  std::atomic<int> alive{0};
  {
    Thread thread([](const Alive&) {}, Alive(alive));
  }
  EXPECT_EQ(alive, 0);
}

TEST(Thread, GivesItsOwnStopTokenToATargetThatTakesOneFirst) {
  std::stop_token given;
  Thread thread([&](std::stop_token stop, int) { given = std::move(stop); }, 1);
  thread.start();
  thread.join();
  EXPECT_EQ(given, thread.stop_token());
}

TEST(Thread, GivesNoStopTokenToATargetThatTakesNone) {
  int n = 0;
  Thread thread([&](int given) { n = given; }, 7);
  thread.start();
  thread.join();
  EXPECT_EQ(n, 7);
}

TEST(Thread, ANewOneThatIsDestroyedNeverRuns) {
  bool ran = false;
  {
    Thread thread([&] { ran = true; });
  }
  EXPECT_FALSE(ran);
}

// --- start

TEST(Thread, StartTwiceThrows) {
  Event leave;
  Thread thread([&] { leave.wait(); });
  thread.start();
  EXPECT_TRUE(refuses("thrum::Thread::start", [&] { thread.start(); }));
  leave.set();
  thread.join();
  EXPECT_TRUE(refuses("thrum::Thread::start", [&] { thread.start(); })) << "also after the end";
  EXPECT_EQ(thread.state().end, End::returned);
}

TEST(Thread, StartByManyThreadsStartsItOnce) {
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> runs{0}, refused{0};
    Thread thread([&] { ++runs; });
    {
      Actor others[3]{
          Actor([&] { refused += refuses("thrum::Thread::start", [&] { thread.start(); }); }),
          Actor([&] { refused += refuses("thrum::Thread::start", [&] { thread.start(); }); }),
          Actor([&] { refused += refuses("thrum::Thread::start", [&] { thread.start(); }); })};
    }
    thread.join();
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(refused, 2);
  }
}

TEST(Thread, StartIsBeforeEverythingTheThreadDoes) {
  for (int round = 0; round < 100; ++round) {
    int plain = 0, seen = 0;
    Thread thread([&] { seen = plain; });
    plain = round + 1;
    thread.start();
    thread.join();
    EXPECT_EQ(seen, round + 1);
  }
}

// What the system refuses.
class RefusedStart : public testing::Test {
  void SetUp() override {
    if (!Refusal::possible()) GTEST_SKIP() << "a shared build's calls cannot be replaced";
  }
};

TEST_F(RefusedStart, ThrowsSystemErrorAndTheThreadIsNewAgain) {
  bool ran = false;
  Thread thread([&] { ran = true; });
  {
    const Refusal refusal(0);
    try {
      thread.start();
      FAIL() << "nothing was thrown";
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::resource_unavailable_try_again);
      EXPECT_TRUE(std::string(error.what()).starts_with("thrum::Thread::start: ")) << error.what();
    }
  }
  EXPECT_EQ(thread.state().life, Life::new_);
  EXPECT_FALSE(thread.is_alive());
  EXPECT_EQ(thread.ident(), 0u);
  EXPECT_EQ(thread.native_id(), 0u);
  EXPECT_FALSE(test::is_listed(thread));
  EXPECT_TRUE(refuses("thrum::Thread::join", [&] { thread.join(); }));
  EXPECT_NO_THROW(thread.set_daemon(false)) << "as before any start()";
  thread.start();
  thread.join();
  EXPECT_TRUE(ran) << "and can be started";
}

TEST_F(RefusedStart, LeavesNothingBehindIfNeverRetried) {
  std::atomic<int> alive{0};
  {
    Thread thread([](const Alive&) {}, Alive(alive));
    const Refusal refusal(0);
    EXPECT_THROW(thread.start(), std::system_error);
  }
  EXPECT_EQ(alive, 0);
}

TEST_F(RefusedStart, FreesWhoJoinsMeanwhile) {
  Thread thread([] {});
  std::unique_ptr<Actor> joiner;
  testing::AssertionResult refused = testing::AssertionFailure();
  {
    const Refusal refusal(0, [&] {
      joiner = std::make_unique<Actor>(
          [&] { refused = refuses("thrum::Thread::join", [&] { thread.join(); }); });
      test::until([&] { return test::is_blocked(joiner->tid()) || joiner->finished(); });
    });
    EXPECT_THROW(thread.start(), std::system_error);
  }
  joiner->join();
  EXPECT_TRUE(refused);
}

TEST_F(RefusedStart, FreesWhoAsksForTheNativeIdMeanwhile) {
  Thread thread([] {});
  std::unique_ptr<Actor> asker;
  std::uint32_t id = 1;
  {
    const Refusal refusal(0, [&] {
      asker = std::make_unique<Actor>([&] { id = thread.native_id(); });
      test::until([&] { return test::is_blocked(asker->tid()) || asker->finished(); });
    });
    EXPECT_THROW(thread.start(), std::system_error);
  }
  asker->join();
  EXPECT_EQ(id, 0u);
  thread.start();
  EXPECT_NE(thread.native_id(), 0u);
  thread.join();
}

TEST_F(RefusedStart, IsSeenByWhoListsThreadsMeanwhileAsReady) {
  Thread thread([] {});
  {
    const Refusal refusal(0, [&] {
      EXPECT_TRUE(test::is_listed(thread));
      EXPECT_EQ(thread.state().life, Life::ready);
      EXPECT_NE(thread.ident(), 0u);
      EXPECT_FALSE(thread.stack());
    });
    EXPECT_THROW(thread.start(), std::system_error);
  }
  EXPECT_FALSE(test::is_listed(thread));
}

// --- join

TEST(Thread, JoinBeforeStartThrows) {
  Thread thread([] {});
  EXPECT_TRUE(refuses("thrum::Thread::join", [&] { thread.join(); }));
  EXPECT_TRUE(refuses("thrum::Thread::join", [&] { (void)thread.join(1s); }));
  EXPECT_TRUE(refuses("thrum::Thread::join", [&] { (void)thread.join(nonblocking); }));
}

TEST(Thread, JoinOfItselfThrows) {
  testing::AssertionResult waiting = testing::AssertionFailure(), timed = waiting;
  Thread thread([&] {
    waiting = refuses("thrum::Thread::join", [&] { thread.join(); });
    timed = refuses("thrum::Thread::join", [&] { (void)current_thread().join(nonblocking); });
  });
  thread.start();
  thread.join();
  EXPECT_TRUE(waiting);
  EXPECT_TRUE(timed);
}

TEST(Thread, AFailedJoinOfItselfDoesNotBreakOthersJoins) {
  Event go;
  Thread thread([&] {
    go.wait();
    EXPECT_THROW(current_thread().join(), UsageError);
  });
  thread.start();
  Actor joiner([&] { thread.join(); });
  test::until([&] { return test::is_blocked(joiner.tid()); });
  go.set();
  joiner.join();
  thread.join();
  EXPECT_FALSE(thread.is_alive());
}

TEST(Thread, JoinOfOneThatThisLibraryDidNotMakeThrows) {
  ThreadHandle foreign;
  Event known, leave;
  Actor actor([&] {
    foreign = current_thread();
    known.set();
    leave.wait();
  });
  known.wait();
  EXPECT_TRUE(refuses("thrum::Thread::join", [&] { foreign.join(); }));
  EXPECT_TRUE(refuses("thrum::Thread::join", [&] { (void)foreign.join(1s); }));
  leave.set();
  actor.join();
  EXPECT_TRUE(refuses("thrum::Thread::join", [&] { foreign.join(); })) << "also after its end";
}

TEST(Thread, JoinAnyNumberOfTimes) {
  Thread thread([] {});
  thread.start();
  for (int i = 0; i < 3; ++i) thread.join();
  EXPECT_TRUE(thread.join(nonblocking));
  EXPECT_TRUE(thread.join(1s));
  EXPECT_TRUE(thread.join(thread.stop_token()));
}

TEST(Thread, JoinFromManyThreads) {
  for (int round = 0; round < 20; ++round) {
    Event leave;
    Thread thread([&] { leave.wait(); });
    thread.start();
    std::atomic<int> joined{0};
    {
      std::vector<Actor> joiners;
      for (int i = 0; i < 6; ++i) {
        joiners.emplace_back([&, i] {
          if (i % 2 == 0) {
            thread.join();
          } else if (!thread.join(Deadline(1h).or_stop(thread.stop_token()))) {
            return;
          }
          joined += !thread.is_alive();
        });
      }
      for (const Actor& joiner : joiners)
        test::until([&] { return test::is_blocked(joiner.tid()); });
      leave.set();
    }
    EXPECT_EQ(joined, 6);
  }
}

TEST(Thread, JoinGivesUpAtItsDeadline) {
  Event leave;
  Thread thread([&] { leave.wait(); });
  thread.start();
  const Stopwatch watch;
  EXPECT_FALSE(thread.join(20ms));
  EXPECT_GE(watch.elapsed(), 20ms);
  EXPECT_FALSE(thread.join(nonblocking));
  EXPECT_FALSE(thread.join(-1s));
  EXPECT_TRUE(thread.is_alive()) << "giving up does not end it";
  leave.set();
  EXPECT_TRUE(thread.join(forever));
}

TEST(Thread, JoinGivesUpWhenItsOwnTokenIsStopped) {
  Event leave;
  Thread thread([&] { leave.wait(); });
  thread.start();
  std::stop_source source;
  bool ended = true;
  Actor joiner([&] { ended = thread.join(source.get_token()); });
  test::until([&] { return test::is_blocked(joiner.tid()); });
  source.request_stop();
  joiner.join();
  EXPECT_FALSE(ended);
  leave.set();
  thread.join();
}

TEST(Thread, JoinRefusesNaNAndHarmsNothing) {
  Event leave;
  Thread thread([&] { leave.wait(); });
  thread.start();
  EXPECT_THROW((void)thread.join(std::chrono::duration<double>(NAN)), UsageError);
  EXPECT_TRUE(thread.is_alive());
  EXPECT_FALSE(thread.join(nonblocking));
  leave.set();
  EXPECT_TRUE(thread.join(std::chrono::duration<double>(1e300))) << "too long is for ever";
}

TEST(Thread, JoinIsAfterEverythingTheThreadDid) {
  for (int round = 1; round <= 100; ++round) {
    int plain = 0;
    Thread thread([&] { plain = round; });
    thread.start();
    while (!thread.join(nonblocking)) test::let_others_run();
    EXPECT_EQ(plain, round);
  }
}

TEST(Thread, JoinNeverThrowsWhatTheThreadThrew) {
  const test::Reports reports;
  Thread thread([] { throw std::runtime_error("boom"); });
  thread.start();
  EXPECT_NO_THROW(thread.join());
  EXPECT_TRUE(thread.join(1h));
}

TEST(Thread, JoinOfTheMainThreadGivesUpAtItsDeadline) {
  bool ended = true;
  const ThreadHandle main = main_thread();
  Thread thread([&] { ended = main.join(5ms); });
  thread.start();
  thread.join();
  EXPECT_FALSE(ended);
}

struct Late {
  Event* begun = nullptr;
  Event* go_on = nullptr;
  int* done = nullptr;
  ~Late() {
    if (done == nullptr) return;
    begun->set();
    go_on->wait();
    *done = 1;
  }
};
thread_local Late late;

TEST(Thread, JoinIsAfterTheThreadsThreadLocalsAreDestroyed) {
  Event begun, go_on;
  int done = 0;
  Thread thread([&] {
    late.begun = &begun;
    late.go_on = &go_on;
    late.done = &done;
  });
  thread.start();
  begun.wait();
  EXPECT_FALSE(thread.join(nonblocking)) << "its thread_local is being destroyed";
  EXPECT_TRUE(thread.is_alive());
  go_on.set();
  thread.join();
  EXPECT_EQ(done, 1);
}

struct JoinsItself {
  bool armed = false;
  testing::AssertionResult* result = nullptr;
  ThreadHandle other;
  ~JoinsItself() {
    if (!armed) return;
    *result = refuses("thrum::Thread::join", [] { current_thread().join(); });
    other.join();
  }
};
thread_local JoinsItself joins_itself;

TEST(Thread, AThreadLocalsDestructorMayJoinOthersButNotItself) {
  testing::AssertionResult result = testing::AssertionFailure();
  Thread other([] {});
  other.start();
  Thread thread([&] {
    joins_itself.armed = true;
    joins_itself.result = &result;
    joins_itself.other = other;
  });
  thread.start();
  thread.join();
  EXPECT_TRUE(result);
}

TEST(Thread, EndsWhileOthersJoinAndDestroyIt) {
  for (int round = 0; round < 200; ++round) {
    auto thread = std::make_unique<Thread>([] {});
    thread->start();
    const ThreadHandle handle = *thread;
    Actor joiner([&] { handle.join(); });
    thread.reset();
    joiner.join();
    EXPECT_FALSE(handle.is_alive());
  }
}

// --- Questions

TEST(Thread, IsAliveFromStartToEnd) {
  Event leave;
  Thread thread([&] { leave.wait(); });
  EXPECT_FALSE(thread.is_alive());
  thread.start();
  EXPECT_TRUE(thread.is_alive());
  leave.set();
  thread.join();
  EXPECT_FALSE(thread.is_alive());
}

TEST(Thread, IdsAreZeroBeforeStartAndKeptAfterTheEnd) {
  std::uint64_t ident = 0;
  std::uint32_t native = 0;
  Thread thread([&] {
    ident = get_ident();
    native = get_native_id();
  });
  EXPECT_EQ(thread.ident(), 0u);
  EXPECT_EQ(thread.native_id(), 0u);
  thread.start();
  EXPECT_NE(thread.ident(), 0u);
  EXPECT_NE(thread.native_id(), 0u);
  thread.join();
  EXPECT_EQ(thread.ident(), ident);
  EXPECT_EQ(thread.native_id(), native);
}

TEST(Thread, NativeIdIsTheKernels) {
  pid_t tid = 0;
  Thread thread([&] { tid = gettid(); });
  thread.start();
  thread.join();
  EXPECT_EQ(thread.native_id(), static_cast<std::uint32_t>(tid));
  EXPECT_EQ(main_thread().native_id(), static_cast<std::uint32_t>(getpid()));
}

TEST(Thread, NativeIdWaitsForAStartingThreadToKnowItsOwn) {
  for (int round = 0; round < 200; ++round) {
    Thread thread([] {});
    thread.start();
    EXPECT_NE(thread.native_id(), 0u);
  }
}

TEST(Thread, IdentIsNeverReused) {
  std::set<std::uint64_t> idents{self().ident};
  for (int round = 0; round < 100; ++round) {
    Thread thread([] {});
    thread.start();
    EXPECT_TRUE(idents.insert(thread.ident()).second);
  }
}

TEST(Thread, KeepsTheExceptionThatLeftItsTarget) {
  const test::Reports reports;
  Thread thread([] { throw std::runtime_error("boom"); });
  EXPECT_EQ(thread.exception(), nullptr);
  thread.start();
  thread.join();
  EXPECT_EQ(test::what_of(thread.exception()), "boom");
  EXPECT_EQ(thread.state().end, End::threw);
  EXPECT_EQ(test::what_of(thread.exception()), "boom") << "asking does not take it";
}

TEST(Thread, HasNoExceptionIfItReturned) {
  Thread thread([] {});
  thread.start();
  thread.join();
  EXPECT_EQ(thread.exception(), nullptr);
}

TEST(Thread, RequestStopTriggersItsTokenOnce) {
  Thread thread([](std::stop_token stop) { test::until([&] { return stop.stop_requested(); }); });
  EXPECT_FALSE(thread.stop_token().stop_requested());
  thread.start();
  EXPECT_TRUE(thread.request_stop());
  EXPECT_FALSE(thread.request_stop()) << "not the first to ask";
  thread.join();
  EXPECT_TRUE(thread.stop_token().stop_requested());
}

TEST(Thread, DestroyedRequestsStopUnlessItWasJoined) {
  std::stop_token joined;
  std::stop_token left_alone;
  {
    Thread one([] {});
    Thread other([](std::stop_token stop) { test::until([&] { return stop.stop_requested(); }); });
    joined = one.stop_token();
    left_alone = other.stop_token();
    one.start();
    other.start();
    one.join();
  }
  EXPECT_FALSE(joined.stop_requested()) << "like std::jthread";
  EXPECT_TRUE(left_alone.stop_requested());
}

TEST(Thread, RequestStopBeforeStartIsSeenByTheTarget) {
  bool requested = false;
  Thread thread([&](std::stop_token stop) { requested = stop.stop_requested(); });
  thread.request_stop();
  thread.start();
  thread.join();
  EXPECT_TRUE(requested);
}

TEST(Thread, RequestStopWakesAWaitWithItsToken) {
  Event never;
  bool set = true;
  Thread thread([&](std::stop_token stop) { set = never.wait(stop); });
  thread.start();
  until_blocked(thread, Waitable::event);
  thread.request_stop();
  thread.join();
  EXPECT_FALSE(set);
}

// --- Handles

TEST(ThreadHandle, OfNoThreadThrowsForEveryQuestion) {
  const ThreadHandle none;
  EXPECT_FALSE(none);
  const auto refused = [](auto question) { return refuses("thrum::ThreadHandle", question); };
  EXPECT_TRUE(refused([&] { none.join(); }));
  EXPECT_TRUE(refused([&] { (void)none.join(1s); }));
  EXPECT_TRUE(refused([&] { (void)none.is_alive(); }));
  EXPECT_TRUE(refused([&] { (void)none.state(); }));
  EXPECT_TRUE(refused([&] { (void)none.exception(); }));
  EXPECT_TRUE(refused([&] { (void)none.name(); }));
  EXPECT_TRUE(refused([&] { none.set_name("x"); }));
  EXPECT_TRUE(refused([&] { (void)none.daemon(); }));
  EXPECT_TRUE(refused([&] { none.set_daemon(true); }));
  EXPECT_TRUE(refused([&] { (void)none.ident(); }));
  EXPECT_TRUE(refused([&] { (void)none.native_id(); }));
  EXPECT_TRUE(refused([&] { (void)none.stack(); }));
  EXPECT_TRUE(refused([&] { (void)none.switches(); }));
  EXPECT_TRUE(refused([&] { (void)none.request_stop(); }));
  EXPECT_TRUE(refused([&] { (void)none.stop_token(); }));
  EXPECT_TRUE(refused([&] { (void)none.text(); }));
  // And what holds the list of threads was let go.
  EXPECT_GE(active_count(), 1u);
}

TEST(ThreadHandle, AnyNumberMayNameTheSameThread) {
  Thread thread([] {}), other([] {});
  const ThreadHandle first = thread, second = first;
  EXPECT_TRUE(first);
  EXPECT_EQ(first, second);
  EXPECT_FALSE(first == static_cast<const ThreadHandle&>(other));
  EXPECT_FALSE(first == ThreadHandle());
}

TEST(ThreadHandle, OutlivesItsThread) {
  ThreadHandle handle;
  const test::Reports reports;
  {
    Thread thread({.name = "gone"}, [] { throw std::runtime_error("boom"); });
    thread.start();
    handle = thread;
  }
  EXPECT_FALSE(handle.is_alive());
  EXPECT_EQ(handle.name(), "gone");
  EXPECT_NE(handle.native_id(), 0u);
  EXPECT_EQ(test::what_of(handle.exception()), "boom");
  handle.join();
}

// --- Owning

TEST(Thread, DestructorRequestsStopAndJoins) {
  std::atomic<bool> stopped{false};
  {
    Thread thread([&](std::stop_token stop) {
      test::until([&] { return stop.stop_requested(); });
      stopped = true;
    });
    thread.start();
  }
  EXPECT_TRUE(stopped);
}

TEST(Thread, DestructorLetsADaemonGo) {
  // On the heap: the thread may end after this scope.
  auto leave = std::make_shared<Event>();
  ThreadHandle handle;
  {
    Thread thread({.daemon = true}, [leave] { leave->wait(); });
    thread.start();
    handle = thread;
  }
  EXPECT_TRUE(handle.is_alive());
  EXPECT_FALSE(handle.stop_token().stop_requested());
  leave->set();
  handle.join();
}

TEST(Thread, MayBeDestroyedByItself) {
  // Which nobody joins then: the process must not lose it for that.
  ThreadHandle handle;
  {
    auto thread = std::make_shared<std::unique_ptr<Thread>>();
    Event go;
    *thread = std::make_unique<Thread>([&go, thread] {
      go.wait();
      thread->reset();
    });
    handle = **thread;
    (*thread)->start();
    thread.reset();
    go.set();
    handle.join();
  }
  EXPECT_EQ(handle.state().end, End::returned);
}

TEST(Thread, MovesTheOwnership) {
  Event leave;
  Thread first([&] { leave.wait(); });
  first.start();
  const ThreadHandle handle = first;
  Thread second(std::move(first));
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): it promises to name none
  EXPECT_TRUE(refuses("thrum::ThreadHandle", [&] { first.start(); }));
  EXPECT_EQ(second, handle);
  leave.set();
  second.join();
}

TEST(Thread, MoveAssignmentStopsAndJoinsWhatWasOwnedBefore) {
  std::atomic<bool> stopped{false};
  Thread thread([&](std::stop_token stop) {
    test::until([&] { return stop.stop_requested(); });
    stopped = true;
  });
  thread.start();
  thread = Thread({.name = "next"});
  EXPECT_TRUE(stopped);
  EXPECT_EQ(thread.name(), "next");
  Thread& same = thread;
  thread = std::move(same);
  EXPECT_EQ(thread.name(), "next");
}

TEST(Thread, MayBeMovedWhileItRunsAndStartedByAnother) {
  int ran = 0;
  std::vector<Thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&ran] { ++ran; });  // moves when it grows
  for (Thread& thread : threads) {
    Actor starter([&] { thread.start(); });
    starter.join();
    thread.join();
  }
  EXPECT_EQ(ran, 8);
}

// --- Ends

TEST(Thread, ThatCallsPthreadExitHasExited) {
  bool unwound = false;
  Thread thread([&] {
    struct Unwound {
      bool& flag;
      ~Unwound() { flag = true; }
    } const guard{unwound};
    pthread_exit(nullptr);
  });
  thread.start();
  thread.join();
  EXPECT_TRUE(unwound);
  EXPECT_EQ(thread.state().end, End::exited);
  EXPECT_EQ(thread.exception(), nullptr);
}

TEST(Thread, ThatIsCancelledHasExited) {
  const test::Reports reports;
  std::atomic<pthread_t> id{};
  Event known;
  Thread thread([&] {
    id = pthread_self();
    known.set();
    for (;;) pause();
  });
  thread.start();
  known.wait();
  pthread_cancel(id);
  thread.join();
  EXPECT_EQ(thread.state().end, End::exited);
}

TEST(Thread, ThatIsCancelledWhileItJoinsIsCancelledAfterwards) {
  Event leave;
  Thread joined([&] { leave.wait(); });
  joined.start();
  std::atomic<pthread_t> id{};
  bool joined_it = false;
  Thread joiner([&] {
    id = pthread_self();
    joined.join();
    joined_it = true;
    for (;;) pause();
  });
  joiner.start();
  until_blocked(joiner, Waitable::thread);
  pthread_cancel(id);
  leave.set();
  joiner.join();
  joined.join();
  EXPECT_TRUE(joined_it) << "a join is no cancellation point";
  EXPECT_EQ(joiner.state().end, End::exited);
}

// --- The threads there are

TEST(CurrentThread, IsTheThreadThatRuns) {
  ThreadHandle seen;
  Thread thread([&] { seen = current_thread(); });
  thread.start();
  thread.join();
  EXPECT_EQ(seen, thread);
  EXPECT_EQ(seen.ident(), thread.ident());
}

TEST(CurrentThread, OfOneNotMadeByUsIsADummyUntilItEnds) {
  const std::size_t before = active_count();
  ThreadHandle dummy;
  Event known, leave;
  std::thread foreign([&] {
    dummy = current_thread();
    EXPECT_EQ(dummy, current_thread());
    known.set();
    leave.wait();
  });
  known.wait();
  EXPECT_TRUE(dummy.name().starts_with("Dummy-")) << dummy.name();
  EXPECT_TRUE(dummy.daemon());
  EXPECT_TRUE(dummy.is_alive());
  EXPECT_TRUE(test::is_listed(dummy));
  EXPECT_EQ(active_count(), before + 1);
  leave.set();
  foreign.join();
  EXPECT_FALSE(test::is_listed(dummy));
  EXPECT_FALSE(dummy.is_alive());
  EXPECT_EQ(active_count(), before);
}

TEST(CurrentThread, NamesDummiesDifferently) {
  std::string first, second;
  std::thread([&] { first = current_thread().name(); }).join();
  std::thread([&] { second = current_thread().name(); }).join();
  EXPECT_NE(first, second);
}

TEST(MainThread, RunsMain) {
  EXPECT_EQ(main_thread(), current_thread());
  EXPECT_EQ(main_thread().name(), "MainThread");
  EXPECT_FALSE(main_thread().daemon());
  EXPECT_TRUE(main_thread().is_alive());
  ThreadHandle seen;
  Thread thread([&] { seen = main_thread(); });
  thread.start();
  thread.join();
  EXPECT_EQ(seen, current_thread());
}

TEST(MainThread, IsKnownToOthersBeforeItUsedTheLibrary) {
  ThreadHandle seen;
  std::thread([&] { seen = main_thread(); }).join();
  EXPECT_EQ(seen, current_thread());
  EXPECT_TRUE(main_thread().stack());
}

TEST(MainThread, ThatOnlyWaitsIsBlockedForOthersToo) {
  Event leave;
  ThreadState state;
  std::thread other([&] {
    const ThreadHandle main = main_thread();  // maybe before it ever used the library
    state = until_blocked(main, Waitable::event);
    leave.set();
  });
  leave.wait();
  other.join();
  EXPECT_EQ(state.blocked_on.object, &leave);
}

TEST(Enumerate, ListsWhatWasStartedAndHasNotEnded) {
  const std::size_t before = active_count();
  Event leave;
  Thread plain([&] { leave.wait(); });
  Thread daemon({.daemon = true}, [&] { leave.wait(); });
  EXPECT_FALSE(test::is_listed(plain)) << "not started";
  plain.start();
  daemon.start();
  EXPECT_TRUE(test::is_listed(plain));
  EXPECT_TRUE(test::is_listed(daemon));
  EXPECT_TRUE(test::is_listed(main_thread()));
  EXPECT_EQ(active_count(), before + 2);
  leave.set();
  plain.join();
  daemon.join();
  EXPECT_EQ(active_count(), before);
}

TEST(Enumerate, NeverListsAThreadThatWasJustJoined) {
  for (int round = 0; round < 200; ++round) {
    Thread thread([] {});
    thread.start();
    thread.join();
    EXPECT_FALSE(test::is_listed(thread));
  }
}

TEST(Enumerate, NeverListsAThreadThatIsNotAlive) {
  std::atomic<bool> stop{false};
  Actor churner([&] {
    while (!stop) {
      Thread thread([] {});
      thread.start();
    }
  });
  for (int round = 0; round < 300; ++round) {
    for (const ThreadHandle& thread : enumerate()) EXPECT_NE(thread.ident(), 0u);
  }
  stop = true;
}

// hard-bugs 30: a wait that spun without bound would keep the processor from who must act.
TEST(Priority, AHighOneThatWaitsLetsLowOnesRunOnItsProcessor) {
  const test::OneProcessor one;
  sched_param high{};
  high.sched_priority = 1;
  // Those that it starts are ordinary threads.
  if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &high) != 0) {
    GTEST_SKIP() << "SCHED_FIFO is not allowed here";
  }
  for (int round = 0; round < 20; ++round) {
    Lock lock;
    Event held;
    Thread low([&] {
      const Guard guard(lock);
      held.set();
      for (int i = 0; i < 100; ++i) (void)enumerate();
    });
    low.start();
    EXPECT_NE(low.native_id(), 0u);
    held.wait();
    lock.acquire();
    lock.release();
    low.join();
    Thread joined([] {});
    joined.start();
    while (!joined.join(std::chrono::milliseconds(1))) {
    }
  }
  const sched_param ordinary{};
  sched_setscheduler(0, SCHED_OTHER, &ordinary);
}

// Runs `body` in a thread whose kernel id was that of a thread that has ended. Returns whether the
// system let us choose (root, and the kernel option CHECKPOINT_RESTORE).
bool run_under_a_used_id(std::uint32_t id, const std::function<void()>& body) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    {
      std::ofstream last("/proc/sys/kernel/ns_last_pid");
      if (!(last << id - 1 << std::flush)) return false;
    }
    bool same = false;
    std::thread([&] {
      same = static_cast<std::uint32_t>(gettid()) == id;
      if (same) body();
    }).join();
    if (same) return true;  // nobody else on the machine was faster
  }
  return false;
}

TEST(RLock, OwnerIsNotTheNextThreadThatGetsADeadOnesKernelId) {
  RLock lock;
  Thread dies([&] { lock.acquire(); });
  dies.start();
  dies.join();
  EXPECT_TRUE(lock.locked());
  const bool chosen = run_under_a_used_id(dies.native_id(), [&] {
    EXPECT_EQ(self().native_id, lock.holder());
    EXPECT_FALSE(lock.is_owned());
    EXPECT_EQ(lock.recursion_count(), 0u);
    EXPECT_FALSE(lock.acquire(nonblocking));
    EXPECT_TRUE(refuses("thrum::RLock::release", [&] { lock.release(); }));
    EXPECT_NE(current_thread().ident(), dies.ident());
  });
  if (!chosen) GTEST_SKIP() << "this system does not let us choose a thread's id";
}

}  // namespace
}  // namespace thrum
