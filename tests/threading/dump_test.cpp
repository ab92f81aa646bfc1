// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "support/blocked.h"
#include "support/sanitizer.h"
#include "threading/child.h"
#include "threading/thread_support.h"
#include "thrum/threading.h"

namespace thrum {
namespace {

using test::Actor;
using test::Child;
using test::until_blocked;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The line about a thread of that name.
std::string line_of(const std::string& text, const std::string& name) {
  const std::size_t at = text.find("\n  \"" + name + "\"");
  return at == std::string::npos ? "" : text.substr(at + 3, text.find('\n', at + 1) - at - 3);
}

std::string at(const void* object) {
  char text[32];
  std::snprintf(text, sizeof text, " at %p", object);
  return text;
}

std::string id_of(const ThreadHandle& thread) {
  return "(native id " + std::to_string(thread.native_id()) + ")";
}

// Returns the first dump that shows all of them blocked: who waits may be awake for a moment, to
// look again.
std::string dump_of_blocked(std::initializer_list<const char*> names) {
  std::string text;
  test::until([&] {
    text = dump_text();
    return std::all_of(names.begin(), names.end(),
                       [&](const char* name) { return has(line_of(text, name), "blocked"); });
  });
  return text;
}

TEST(Dump, BeginsWithTheProcessAndTheNumberOfThreads) {
  Event leave;
  Thread thread([&] { leave.wait(); });
  thread.start();
  const std::string text = dump_text();
  EXPECT_TRUE(text.starts_with("thrum: process " + std::to_string(getpid()) + ", ")) << text;
  EXPECT_TRUE(has(text.substr(0, text.find('\n')), " threads"));
  leave.set();
}

TEST(Dump, ListsEachThreadWithNameIdsStateAndWhatItWaitsFor) {
  Event leave;
  Queue<int> jobs({.name = "jobs"});
  Thread event({.name = "waits"}, [&] { leave.wait(); });
  Thread queue({.name = "gets", .daemon = true}, [&] { (void)jobs.get(); });
  event.start();
  queue.start();
  until_blocked(event, Waitable::event);
  until_blocked(queue, Waitable::queue_get);
  const std::string text = dump_of_blocked({"waits", "gets"});
  const std::string waits = line_of(text, "waits"), gets = line_of(text, "gets");
  EXPECT_TRUE(waits.starts_with("\"waits\", ident " + std::to_string(event.ident()) +
                                ", native id " + std::to_string(event.native_id()) +
                                ": blocked on an event" + at(&leave) + ", for "))
      << text;
  EXPECT_TRUE(waits.ends_with("s")) << waits;
  EXPECT_TRUE(gets.starts_with("\"gets\" (daemon), ident ")) << text;
  EXPECT_TRUE(has(gets, "blocked on a queue (get) \"jobs\" at 0x")) << gets;
  EXPECT_TRUE(line_of(text, "MainThread").ends_with(": running")) << text;
  EXPECT_FALSE(has(text, "deadlock")) << text;
  leave.set();
  jobs.put(1);
  queue.join();
}

TEST(Dump, NamesTheHolderOfALock) {
  Lock lock;
  RLock rlock;
  Event leave;
  Thread holder({.name = "holder"}, [&] {
    const Guard first(lock);
    const Guard second(rlock);
    leave.wait();
  });
  holder.start();
  until_blocked(holder, Waitable::event);
  Thread waits({.name = "waits"}, [&] { const Guard guard(lock); });
  Thread rwaits({.name = "rwaits"}, [&] { const Guard guard(rlock); });
  waits.start();
  rwaits.start();
  until_blocked(waits, Waitable::lock);
  until_blocked(rwaits, Waitable::lock);
  const std::string text = dump_of_blocked({"waits", "rwaits"});
  EXPECT_TRUE(has(line_of(text, "waits"), "blocked on a lock" + at(&lock) + ", for ")) << text;
  EXPECT_TRUE(line_of(text, "waits").ends_with(", held by \"holder\" " + id_of(holder))) << text;
  EXPECT_TRUE(line_of(text, "rwaits").ends_with(", held by \"holder\" " + id_of(holder))) << text;
  EXPECT_FALSE(has(text, "deadlock")) << text;
  leave.set();
}

TEST(Dump, NamesTheThreadThatIsJoined) {
  Event leave;
  Thread joined({.name = "joined"}, [&] { leave.wait(); });
  joined.start();
  until_blocked(joined, Waitable::event);
  Thread joins({.name = "joins"}, [&] { joined.join(); });
  joins.start();
  until_blocked(joins, Waitable::thread);
  const std::string text = dump_of_blocked({"joins"});
  EXPECT_TRUE(has(line_of(text, "joins"), "blocked on a thread (join)")) << text;
  EXPECT_TRUE(line_of(text, "joins").ends_with(", which is \"joined\" " + id_of(joined))) << text;
  leave.set();
}

TEST(Dump, ListsThreadsThatNeverUsedTheLibrary) {
  std::atomic<bool> named{false}, leave{false};
  std::thread foreign([&] {
    pthread_setname_np(pthread_self(), "theirs");
    named = true;
    named.notify_all();
    leave.wait(false);
  });
  named.wait(false);
  const std::string line = line_of(dump_text(), "theirs");
  EXPECT_TRUE(line.starts_with("\"theirs\" (not ours, or at its start or end), native id "))
      << line;
  leave = true;
  leave.notify_all();
  foreign.join();
}

TEST(Dump, ListsThreadsNotMadeByUsThatUseTheLibrary) {
  Event leave;
  const Actor actor([&] { leave.wait(); });  // never asks who it is
  actor.until_blocked_on(leave);
  EXPECT_TRUE(has(dump_text(), ", native id " + std::to_string(actor.tid()) +
                                   ": blocked on an event" + at(&leave)));
  leave.set();
}

TEST(Dump, CanBeAskedForByAnyThread) {
  std::string text;
  Thread thread({.name = "asks"}, [&] {
    until_blocked(main_thread(), Waitable::thread);
    text = dump_of_blocked({"MainThread"});
  });
  thread.start();
  thread.join();
  EXPECT_TRUE(line_of(text, "asks").ends_with(": running")) << text;
  EXPECT_TRUE(has(line_of(text, "MainThread"), "blocked on a thread (join)")) << text;
}

TEST(Dump, IsPrintedToStderr) {
  testing::internal::CaptureStderr();
  dump();
  thrum_dump();
  const std::string text = testing::internal::GetCapturedStderr();
  const std::size_t first = text.find("thrum: process ");
  EXPECT_EQ(first, 0u);
  EXPECT_NE(text.find("thrum: process ", 1), std::string::npos) << text;
}

TEST(Dump, SaysHowLongAThreadIsBlocked) {
  Event leave;
  Thread thread({.name = "waits"}, [&] { leave.wait(); });
  thread.start();
  const std::int64_t since = until_blocked(thread, Waitable::event).blocked_on.since_ns;
  test::until([&] { return Deadline::now_ns() - since > 20'000'000; });
  const std::string line = line_of(dump_of_blocked({"waits"}), "waits");
  const double value = std::stod(line.substr(line.find(", for ") + 6));
  EXPECT_TRUE(line.ends_with(" ms") ? value >= 20 : line.ends_with(" s")) << line;
  leave.set();
}

// hard-bugs 37: nobody will ever release what a dead thread holds.
TEST(Dump, AHolderThatEndedIsADeadThread) {
  Lock lock;
  Thread dies([&] { lock.acquire(); });
  dies.start();
  dies.join();
  Thread waits({.name = "waits"}, [&] { const Guard guard(lock); });
  waits.start();
  until_blocked(waits, Waitable::lock);
  const std::string text = dump_of_blocked({"waits"});
  EXPECT_TRUE(line_of(text, "waits").ends_with(", held by a dead thread " + id_of(dies))) << text;
  EXPECT_FALSE(has(text, "deadlock")) << text;
  lock.release();  // a Lock is not owned
}

// --- Deadlocks. What is waited for can be had in the end: a Lock is released by anybody,
// everything else is waited for with a token.

std::size_t deadlocks_in(const std::string& text) {
  std::size_t n = 0;
  for (std::size_t i = 0; (i = text.find("deadlock, a cycle of ", i)) != std::string::npos; ++i)
    ++n;
  return n;
}

// Returns the first dump that tells of so many: who waits may be awake for a moment, to look again.
std::string dump_of_deadlocks(std::size_t n) {
  std::string text;
  test::until([&] {
    text = dump_text();
    return deadlocks_in(text) >= n;
  });
  EXPECT_EQ(deadlocks_in(text), n) << text;
  return text;
}

TEST(Deadlock, OfOneThatAcquiresItsOwnLockAgain) {
  Lock lock;
  Thread self({.name = "self"}, [&] {
    lock.acquire();
    lock.acquire();
  });
  self.start();
  until_blocked(self, Waitable::lock);
  const std::string text = dump_of_deadlocks(1);
  EXPECT_TRUE(has(text, "deadlock, a cycle of 1:\n  \"self\" waits for a lock" + at(&lock) +
                            ", held by \"self\"\n"))
      << text;
  lock.release();
  self.join();
  lock.release();
}

// `n` threads, each holds one lock and waits for that of the next.
void expect_cycle_of(int n) {
  std::vector<std::unique_ptr<Lock>> locks;
  for (int i = 0; i < n; ++i) locks.push_back(std::make_unique<Lock>());
  Barrier all(n);
  std::vector<Thread> threads;
  for (int i = 0; i < n; ++i) {
    threads.emplace_back(ThreadOptions{.name = "t" + std::to_string(i)}, [&, i] {
      Lock& mine = *locks[static_cast<std::size_t>(i)];
      Lock& next = *locks[static_cast<std::size_t>((i + 1) % n)];
      mine.acquire();
      (void)all.wait();
      next.acquire();
      next.release();
      if (i != 0) mine.release();
    });
  }
  for (Thread& thread : threads) thread.start();
  for (Thread& thread : threads) until_blocked(thread, Waitable::lock);
  const std::string text = dump_of_deadlocks(1);
  EXPECT_TRUE(has(text, "deadlock, a cycle of " + std::to_string(n) + ":\n")) << text;
  for (int i = 0; i < n; ++i) {
    const int next = (i + 1) % n;
    EXPECT_TRUE(has(text, "  \"t" + std::to_string(i) + "\" waits for a lock" +
                              at(locks[static_cast<std::size_t>(next)].get()) + ", held by \"t" +
                              std::to_string(next) + "\"\n"))
        << text;
  }
  locks[0]->release();
  for (Thread& thread : threads) thread.join();
  EXPECT_EQ(deadlocks_in(dump_text()), 0u);
}

TEST(Deadlock, OfTwoLocks) { expect_cycle_of(2); }
TEST(Deadlock, OfThreeLocks) { expect_cycle_of(3); }
TEST(Deadlock, OfFiveLocks) { expect_cycle_of(5); }

TEST(Deadlock, OfTwoRLocks) {
  RLock a, b;
  Barrier both(2);
  std::stop_source stop;
  const auto body = [&](RLock& first, RLock& second) {
    const Guard guard(first);
    (void)both.wait();
    if (second.acquire(stop.get_token())) second.release();
  };
  Thread x({.name = "x"}, body, std::ref(a), std::ref(b));
  Thread y({.name = "y"}, body, std::ref(b), std::ref(a));
  x.start();
  y.start();
  until_blocked(x, Waitable::lock);
  until_blocked(y, Waitable::lock);
  EXPECT_TRUE(has(dump_of_deadlocks(1), "deadlock, a cycle of 2:\n"));
  stop.request_stop();
}

TEST(Deadlock, OfALockAndAJoin) {
  Lock lock;
  Event held, go;
  std::stop_source stop;
  Thread wants({.name = "wants"}, [&] { const Guard guard(lock); });
  Thread holder({.name = "holder"}, [&] {
    const Guard guard(lock);
    held.set();
    go.wait();
    (void)wants.join(stop.get_token());
  });
  holder.start();
  held.wait();
  wants.start();
  until_blocked(wants, Waitable::lock);
  go.set();
  until_blocked(holder, Waitable::thread);
  const std::string text = dump_of_deadlocks(1);
  EXPECT_TRUE(has(text, "deadlock, a cycle of 2:\n")) << text;
  EXPECT_TRUE(has(text, "  \"wants\" waits for a lock" + at(&lock) + ", held by \"holder\"\n"))
      << text;
  EXPECT_TRUE(has(text, "  \"holder\" waits for a thread (join)")) << text;
  EXPECT_TRUE(has(text, ", which is \"wants\"\n")) << text;
  stop.request_stop();
}

// hard-bugs 25
TEST(Deadlock, OfTwoThatJoinEachOther) {
  std::stop_source stop;
  Event go;
  ThreadHandle first, second;
  Thread a({.name = "a"}, [&] {
    go.wait();
    (void)second.join(stop.get_token());
  });
  Thread b({.name = "b"}, [&] {
    go.wait();
    (void)first.join(stop.get_token());
  });
  first = a;
  second = b;
  a.start();
  b.start();
  go.set();
  until_blocked(a, Waitable::thread);
  until_blocked(b, Waitable::thread);
  const std::string text = dump_of_deadlocks(1);
  EXPECT_TRUE(has(text, "deadlock, a cycle of 2:\n")) << text;
  EXPECT_TRUE(has(text, "  \"a\" waits for a thread (join)")) << text;
  EXPECT_TRUE(has(text, "  \"b\" waits for a thread (join)")) << text;
  stop.request_stop();
}

TEST(Deadlock, OfTwoThatJoinEachOtherForEver) {
  Child child({"join_each_other"});
  EXPECT_EQ(child.wait(), "exited 0") << child.err();
  const std::string text = child.out();
  EXPECT_EQ(deadlocks_in(text), 1u) << text;
  EXPECT_TRUE(has(text, "deadlock, a cycle of 2:\n")) << text;
  EXPECT_TRUE(has(text, "  \"a\" waits for a thread (join)")) << text;
  EXPECT_TRUE(has(text, "  \"b\" waits for a thread (join)")) << text;
}

TEST(Deadlock, ReportsEachOfSeveralCyclesOnceAndNotWhoOnlyWaitsForThem) {
  Lock one, two;
  const auto twice = [](Lock& lock) {
    lock.acquire();
    lock.acquire();
    lock.release();
  };
  Thread a({.name = "a"}, twice, std::ref(one)), b({.name = "b"}, twice, std::ref(two));
  a.start();
  b.start();
  until_blocked(a, Waitable::lock);
  until_blocked(b, Waitable::lock);
  Thread c({.name = "c"}, [&] { const Guard guard(one); });
  c.start();
  until_blocked(c, Waitable::lock);
  const std::string text = dump_of_deadlocks(2);
  EXPECT_FALSE(has(text, "\"c\" waits for")) << text;
  one.release();
  two.release();
}

TEST(Deadlock, IsNeverReportedWhereLocksAreTakenInOrder) {
  Lock locks[3];
  std::atomic<bool> stop{false};
  std::vector<Thread> threads;
  for (std::size_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (std::size_t turn = i; !stop; ++turn) {
        Lock& first = locks[turn % 2];
        const Guard outer(first);
        if (turn % 5 == 0) test::let_others_run();
        const Guard inner(locks[2]);
      }
    });
  }
  for (Thread& thread : threads) thread.start();
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(has(dump_text(), "deadlock"));
  stop = true;
}

// --- On a signal, and in a debugger: in programs of their own

TEST(DumpOnSignal, PrintsWheneverTheSignalComesAndTheProcessGoesOn) {
  Child child({"dump_on_signal"});
  child.expect_line("ready");
  for (int i = 0; i < 3; ++i) {
    const std::size_t before = child.err().size();
    kill(child.pid(), SIGQUIT);
    // A thread that often enters and leaves calls loses one in a hundred to TSan's runtime.
    for (int again = 0; test::thread_sanitizer && again < 10; ++again) {
      const Deadline patience(std::chrono::seconds(1));
      test::until([&] { return child.err().size() > before || patience.expired(); });
      if (child.err().size() == before) kill(child.pid(), SIGQUIT);
    }
    child.expect_error("thrum: process " + std::to_string(child.pid()));
    child.expect_error("\"worker\", ident ");
  }
  child.close_input();
  EXPECT_EQ(child.wait(), "exited 7");
  EXPECT_TRUE(has(child.out(), "went on")) << child.out();
}

TEST(DumpOnSignal, ThatCannotBeCaughtThrows) {
  Child child({"dump_on_sigkill"});
  EXPECT_EQ(child.wait(), "exited 0") << child.out() << child.err();
}

TEST(DumpInADebugger, IsOneCall) {
  if (test::thread_sanitizer) GTEST_SKIP() << "it overlooks order within a call that it intercepts";
  if (std::system("command -v gdb >/dev/null") != 0) FAIL() << "gdb is required: apt install gdb";
  Child child({"sleeps"});
  child.expect_line("ready");
  const std::string gdb = "setsid --wait gdb -batch -nx -p " + std::to_string(child.pid()) +
                          " -ex 'call (void)thrum_dump()' </dev/null >/dev/null 2>&1";
  ASSERT_EQ(std::system(gdb.c_str()), 0);
  child.expect_error("\"MainThread\"");
  child.close_input();
  EXPECT_EQ(child.wait(), "exited 0");
  EXPECT_TRUE(has(child.err(), "\"worker\", ident ")) << child.err();
}

}  // namespace
}  // namespace thrum
