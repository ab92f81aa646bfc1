// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "support/blocked.h"
#include "support/expect.h"
#include "threading/thread_support.h"
#include "thrum/thread.h"

namespace thrum {
namespace {

using test::Actor;
using test::refuses;

// Runs `what` in a thread of that name.
template <class What>
void in_thread(ThreadOptions options, What what) {
  Thread thread(std::move(options), what);
  thread.start();
  thread.join();
}

std::string os_name() {
  std::array<char, 16> name{};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  return name.data();
}

std::string os_name_of(const std::string& name) {
  std::string seen;
  in_thread({.name = name}, [&] { seen = os_name(); });
  return seen;
}

// --- Names

TEST(ThreadName, IsNumberedByDefault) {
  const Thread first, second;
  ASSERT_TRUE(first.name().starts_with("Thread-")) << first.name();
  EXPECT_EQ(std::stoi(second.name().substr(7)), std::stoi(first.name().substr(7)) + 1);
  EXPECT_TRUE(Thread({.name = ""}).name().starts_with("Thread-"));
}

TEST(ThreadName, ReachesTheSystem) { EXPECT_EQ(os_name_of("reader"), "reader"); }

TEST(ThreadName, IsCutAt15BytesForTheSystem) {
  EXPECT_EQ(os_name_of("123456789012345"), "123456789012345");
  EXPECT_EQ(os_name_of("1234567890123456"), "123456789012345");
}

TEST(ThreadName, IsCutBetweenCharactersForTheSystem) {
  EXPECT_EQ(os_name_of("1234567890123é"), "1234567890123é") << "15 bytes";
  EXPECT_EQ(os_name_of("12345678901234é"), "12345678901234");
  EXPECT_EQ(os_name_of("1234567890123€"), "1234567890123");
  EXPECT_EQ(os_name_of("12345678901234€"), "12345678901234");
  EXPECT_EQ(os_name_of("12345678901😀"), "12345678901😀") << "15 bytes";
  EXPECT_EQ(os_name_of("123456789012😀"), "123456789012");
  EXPECT_EQ(os_name_of("ééééééééé"), "ééééééé");
}

TEST(ThreadName, ByNumberIsNotToldTheSystem) {
  const std::string ours = os_name();
  std::string seen;
  Thread thread([&] { seen = os_name(); });
  thread.start();
  thread.join();
  EXPECT_TRUE(thread.name().starts_with("Thread-"));
  EXPECT_EQ(seen, ours) << "inherited, as with std::thread";
}

TEST(ThreadName, EndsAtANulForTheSystem) {
  const std::string name("ab\0cd", 5);
  EXPECT_EQ(os_name_of(name), "ab");
  EXPECT_EQ(Thread({.name = name}).name(), name);
  EXPECT_EQ(os_name_of(std::string("\0x", 2)), "");
}

TEST(ThreadName, OfBrokenUtf8IsNoReasonToFail) {
  EXPECT_NO_THROW(in_thread({.name = std::string(40, '\x80')}, [] {}));
  EXPECT_NO_THROW(in_thread({.name = std::string(40, '\xff')}, [] {}));
}

TEST(ThreadName, CanBeChangedBeforeStart) {
  std::string seen;
  Thread thread([&] { seen = os_name(); });
  thread.set_name("early");
  EXPECT_EQ(thread.name(), "early");
  thread.start();
  thread.join();
  EXPECT_EQ(seen, "early");
}

TEST(ThreadName, CanBeChangedByTheThreadItself) {
  in_thread({.name = "before"}, [] {
    current_thread().set_name("after");
    EXPECT_EQ(os_name(), "after");
    EXPECT_EQ(current_thread().name(), "after");
  });
}

TEST(ThreadName, CanBeChangedFromAnotherThread) {
  Event ready, changed;
  std::string seen;
  Thread thread({.name = "before"}, [&] {
    ready.set();
    changed.wait();
    seen = os_name();
  });
  thread.start();
  ready.wait();
  thread.set_name("after, and long");
  changed.set();
  thread.join();
  EXPECT_EQ(seen, "after, and long");
  thread.set_name("even after the end");
  EXPECT_EQ(thread.name(), "even after the end");
}

TEST(ThreadName, OfThreadsNotMadeByUsCanBeChanged) {
  std::thread([] {
    current_thread().set_name("theirs");
    EXPECT_EQ(os_name(), "theirs");
  }).join();
}

TEST(ThreadName, OfAThreadNotMadeByUsIsLeftAlone) {
  std::thread([] {
    pthread_setname_np(pthread_self(), "theirs");
    EXPECT_TRUE(current_thread().name().starts_with("Dummy-"));
    EXPECT_EQ(os_name(), "theirs");
  }).join();
}

TEST(ThreadName, MayChangeWhileOthersReadIt) {
  std::atomic<bool> stop{false};
  Thread thread([&] { test::until([&] { return stop.load(); }); });
  thread.start();
  Actor reader([&] {
    while (!stop) {
      const std::string name = thread.name();
      EXPECT_TRUE(name == "a" || name == std::string(100, 'b') || name.starts_with("Thread-"));
    }
  });
  for (int i = 0; i < 500; ++i) thread.set_name(i % 2 == 0 ? "a" : std::string(100, 'b'));
  stop = true;
}

// --- Daemons

TEST(ThreadDaemon, IsInheritedFromTheThreadThatMakesIt) {
  EXPECT_FALSE(Thread().daemon()) << "main is none";
  in_thread({.daemon = true}, [] {
    EXPECT_TRUE(Thread().daemon());
    EXPECT_FALSE(Thread({.daemon = false}).daemon());
  });
  in_thread({.daemon = false}, [] {
    EXPECT_FALSE(Thread().daemon());
    EXPECT_TRUE(Thread({.daemon = true}).daemon());
  });
}

TEST(ThreadDaemon, IsSetBeforeStartOnly) {
  Event leave;
  Thread thread([&] { leave.wait(); });
  thread.set_daemon(true);
  EXPECT_TRUE(thread.daemon());
  thread.set_daemon(false);
  EXPECT_FALSE(thread.daemon());
  thread.start();
  EXPECT_TRUE(refuses("thrum::Thread::set_daemon", [&] { thread.set_daemon(true); }));
  leave.set();
  thread.join();
  EXPECT_TRUE(refuses("thrum::Thread::set_daemon", [&] { thread.set_daemon(true); }));
  EXPECT_FALSE(thread.daemon());
}

TEST(ThreadDaemon, OfThreadsThatRunCannotBeSet) {
  EXPECT_TRUE(refuses("thrum::Thread::set_daemon", [] { current_thread().set_daemon(true); }));
  std::thread([] {
    EXPECT_TRUE(refuses("thrum::Thread::set_daemon", [] { current_thread().set_daemon(false); }));
  }).join();
}

// --- Stacks

std::size_t own_stack_size() { return current_thread().stack().value().size_bytes; }

// More than any that libc may have kept from a thread that ended.
constexpr std::size_t kLarge = std::size_t{64} << 20;
constexpr std::size_t kReserved = 64 * 1024;  // the system takes a guard and thread_locals from it

TEST(ThreadStackSize, IsWhatTheOptionSays) {
  std::size_t size = 0;
  in_thread({.stack_size = kLarge}, [&] { size = own_stack_size(); });
  EXPECT_GE(size, kLarge - kReserved);
}

TEST(ThreadStackSize, BelowTheSystemsLeastThrows) {
  EXPECT_TRUE(refuses("thrum::Thread", [] { Thread thread({.stack_size = 1}); }));
  const std::size_t least = static_cast<std::size_t>(PTHREAD_STACK_MIN);
  EXPECT_TRUE(refuses("thrum::Thread", [&] { Thread thread({.stack_size = least - 1}, [] {}); }));
  EXPECT_NO_THROW(Thread({.stack_size = least}));
}

TEST(ThreadStackSize, ThatNoSystemHasIsRefusedByTheSystem) {
  Thread thread({.stack_size = std::size_t{1} << 60}, [] {});
  EXPECT_THROW(thread.start(), std::system_error);
  EXPECT_EQ(thread.state().life, Life::new_);
}

TEST(StackSize, IsForThreadsThatDoNotAskForOne) {
  const std::size_t before = stack_size();
  EXPECT_EQ(before, 0u) << "the system's";
  EXPECT_EQ(set_stack_size(kLarge), before);
  EXPECT_EQ(stack_size(), kLarge);
  std::size_t size = 0, asked = 0;
  in_thread({}, [&] { size = own_stack_size(); });
  in_thread({.stack_size = 2 * kLarge}, [&] { asked = own_stack_size(); });
  EXPECT_GE(size, kLarge - kReserved);
  EXPECT_GE(asked, 2 * kLarge - kReserved);
  EXPECT_EQ(set_stack_size(0), kLarge);
  EXPECT_EQ(stack_size(), 0u);
}

TEST(StackSize, BelowTheSystemsLeastThrowsAndChangesNothing) {
  EXPECT_TRUE(refuses("thrum::Thread", [] { set_stack_size(1000); }));
  EXPECT_EQ(stack_size(), 0u);
}

// --- Processors

std::vector<int> allowed() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  sched_getaffinity(0, sizeof cpus, &cpus);
  std::vector<int> all;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &cpus)) all.push_back(cpu);
  }
  return all;
}

TEST(ThreadAffinity, PinsTheThread) {
  for (const int cpu : allowed()) {
    std::vector<int> seen;
    int on = -1;
    in_thread({.affinity = {cpu}}, [&] {
      seen = allowed();
      on = sched_getcpu();
    });
    EXPECT_EQ(seen, std::vector<int>{cpu});
    EXPECT_EQ(on, cpu);
  }
}

TEST(ThreadAffinity, MayNameSeveralProcessors) {
  std::vector<int> seen;
  in_thread({.affinity = allowed()}, [&] { seen = allowed(); });
  EXPECT_EQ(seen, allowed());
}

TEST(ThreadAffinity, IsTheCreatorsByDefault) {
  const test::OneProcessor one;
  std::vector<int> seen;
  in_thread({}, [&] { seen = allowed(); });
  EXPECT_EQ(seen, allowed());
}

TEST(ThreadAffinity, ToWhatIsNoProcessorThrows) {
  EXPECT_TRUE(refuses("thrum::Thread", [] { Thread thread({.affinity = {-1}}); }));
  EXPECT_TRUE(refuses("thrum::Thread", [] { Thread thread({.affinity = {0, CPU_SETSIZE}}); }));
}

TEST(ThreadAffinity, ToAProcessorThatIsNotHereIsRefusedByTheSystem) {
  if (sysconf(_SC_NPROCESSORS_CONF) >= CPU_SETSIZE) GTEST_SKIP() << "there is no such processor";
  bool ran = false;
  Thread thread({.affinity = {CPU_SETSIZE - 1}}, [&] { ran = true; });
  EXPECT_THROW(thread.start(), std::system_error);
  EXPECT_EQ(thread.state().life, Life::new_);
  EXPECT_THROW(thread.start(), std::system_error) << "it may be tried again";
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace thrum
