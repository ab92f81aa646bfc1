// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/blocked.h"
#include "threading/thread_support.h"
#include "thrum/thread.h"
#include "thrum/timer.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Reports;

template <class Target>
void run(ThreadOptions options, Target target) {
  Thread thread(std::move(options), target);
  thread.start();
  thread.join();
}

struct Odd {};

TEST(Excepthook, ByDefaultPrintsOneLineWithNameTypeAndWhat) {
  testing::internal::CaptureStderr();
  run({.name = "reader"}, [] { throw std::runtime_error("no such file"); });
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "thrum: thread \"reader\" ended by std::runtime_error: no such file\n");
}

TEST(Excepthook, ByDefaultPrintsTheTypeOfWhatIsNoStdException) {
  testing::internal::CaptureStderr();
  run({.name = "a"}, [] { throw 7; });
  run({.name = "b"}, [] { throw Odd(); });
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "thrum: thread \"a\" ended by int\n"
            "thrum: thread \"b\" ended by thrum::(anonymous namespace)::Odd\n");
}

TEST(Excepthook, IsCalledOnceInTheThreadThatFailed) {
  std::atomic<int> calls{0};
  ThreadHandle told, caller;
  std::exception_ptr exception;
  const ExceptHook before = set_excepthook([&](const ExceptHookArgs& args) {
    ++calls;
    told = args.thread;
    exception = args.exception;
    caller = current_thread();
  });
  Thread thread([] { throw std::runtime_error("boom"); });
  thread.start();
  thread.join();
  set_excepthook(before);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(told, thread);
  EXPECT_EQ(caller, thread);
  EXPECT_EQ(exception, thread.exception()) << "the very one that is kept";
}

TEST(Excepthook, CanAskTheThreadThatFailed) {
  std::string what;
  Life life = Life::new_;
  const ExceptHook before = set_excepthook([&](const ExceptHookArgs& args) {
    what = test::what_of(args.thread.exception());
    life = args.thread.state().life;
  });
  run({}, [] { throw std::runtime_error("boom"); });
  set_excepthook(before);
  EXPECT_EQ(what, "boom");
  EXPECT_EQ(life, Life::running);
}

TEST(Excepthook, IsNotCalledForAThreadThatReturnsOrExits) {
  Reports reports;
  run({}, [] {});
  run({}, [] { pthread_exit(nullptr); });
  EXPECT_TRUE(reports.told().empty());
}

TEST(Excepthook, TheProcessGoesOnAndSoDoOtherThreads) {
  const Reports reports;
  Event leave;
  Thread other([&] { leave.wait(); });
  other.start();
  run({}, [] { throw 1; });
  EXPECT_TRUE(other.is_alive());
  leave.set();
}

TEST(Excepthook, SettingItReturnsWhatItWas) {
  int first = 0, second = 0;
  set_excepthook([&](const ExceptHookArgs&) { ++first; });
  const ExceptHook was = set_excepthook([&](const ExceptHookArgs&) { ++second; });
  was({});
  EXPECT_EQ(first, 1);
  set_excepthook({})({});
  EXPECT_EQ(second, 1);
}

TEST(Excepthook, AnEmptyOneRestoresTheDefault) {
  int calls = 0;
  set_excepthook([&](const ExceptHookArgs&) { ++calls; });
  set_excepthook({});
  testing::internal::CaptureStderr();
  run({.name = "t"}, [] { throw 1; });
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "thrum: thread \"t\" ended by int\n");
  EXPECT_EQ(calls, 0);
}

TEST(Excepthook, TheDefaultIsWhatWasThereFirst) {
  const ExceptHook was = set_excepthook({});
  ASSERT_TRUE(was);
  testing::internal::CaptureStderr();
  was({current_thread(), std::make_exception_ptr(std::logic_error("x"))});
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "thrum: thread \"MainThread\" ended by std::logic_error: x\n");
}

TEST(Excepthook, ThatThrowsHasBothExceptionsPrinted) {
  const ExceptHook before =
      set_excepthook([](const ExceptHookArgs&) { throw std::logic_error("in the hook"); });
  testing::internal::CaptureStderr();
  Thread thread({.name = "t"}, [] { throw std::runtime_error("in the thread"); });
  thread.start();
  thread.join();
  const std::string printed = testing::internal::GetCapturedStderr();
  set_excepthook(before);
  EXPECT_NE(printed.find("\"t\" ended by std::runtime_error: in the thread\n"), std::string::npos)
      << printed;
  EXPECT_NE(printed.find("std::logic_error: in the hook\n"), std::string::npos) << printed;
  EXPECT_EQ(test::what_of(thread.exception()), "in the thread");
  EXPECT_EQ(thread.state().end, End::threw);
}

TEST(Excepthook, MayReplaceItself) {
  std::atomic<int> calls{0};
  set_excepthook([&](const ExceptHookArgs&) {
    ++calls;
    set_excepthook([](const ExceptHookArgs&) {});
    ++calls;  // still here
  });
  run({}, [] { throw 1; });
  run({}, [] { throw 1; });
  set_excepthook({});
  EXPECT_EQ(calls, 2);
}

TEST(Excepthook, MayBeReplacedWhileOthersFail) {
  std::atomic<int> calls{0};
  const auto count = [&](const ExceptHookArgs&) { ++calls; };
  set_excepthook(count);
  constexpr int kThreads = 100;
  {
    test::Actor failing([] {
      for (int i = 0; i < kThreads; ++i) run({}, [] { throw 1; });
    });
    while (!failing.finished()) set_excepthook(count);
  }
  set_excepthook({});
  EXPECT_EQ(calls, kThreads);
}

TEST(Excepthook, HearsOfTimersToo) {
  Reports reports;
  {
    Timer timer({.name = "t"}, 0s, [] { throw std::runtime_error("late"); });
    timer.start();
    timer.join();
  }
  EXPECT_EQ(reports.told(), std::vector<std::string>{"t: late"});
}

// What is destroyed last may fail no more, but it may still use the library.
struct Tells {
  Queue<int>* to;
  explicit Tells(Queue<int>& queue) : to(&queue) {}
  ~Tells() { to->put(1); }
};

TEST(Exception, IsDestroyedWithTheLastHandle) {
  Queue<int> destroyed;
  {
    const Reports reports;
    ThreadHandle handle;
    {
      Thread thread([&] { throw std::make_shared<Tells>(destroyed); });
      thread.start();
      thread.join();
      handle = thread;
    }
    EXPECT_TRUE(destroyed.empty());
  }
  EXPECT_EQ(destroyed.get(), 1);
}

TEST(Exception, OfAThreadThatNobodyNamesIsDestroyedByIt) {
  Queue<int> destroyed;
  const Reports reports;
  set_excepthook([](const ExceptHookArgs&) {});
  {
    Thread thread({.daemon = true}, [&] { throw std::make_shared<Tells>(destroyed); });
    thread.start();
  }
  EXPECT_EQ(destroyed.get(), 1);
}

}  // namespace
}  // namespace thrum
