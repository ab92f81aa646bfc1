// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What the kernel alone tells of waits for a lock, beside what the recorder wrote.
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include "analysis/analysis.h"

namespace thrum::analysis {
namespace {

using trace::Event;
using trace::Kind;
using trace::Type;

constexpr std::uint64_t kLock = 0x5000, kHere = 0x400010, kThere = 0x400020;
constexpr std::uint64_t kHolder = 1, kWaiter = 2;  // serials
constexpr std::uint32_t kHolderTid = 100, kWaiterTid = 101;

// Of two threads of one process, from 1 to 100,000; a tick is a nanosecond.
struct Made : Recording {
  Made() {
    processes[1] = {1, 100, 1, 0, {}};
    add_thread(kHolder, kHolderTid);
    add_thread(kWaiter, kWaiterTid);
  }
  void add_thread(std::uint64_t serial, std::uint32_t tid) {
    Thread& thread = threads[serial];
    thread.serial = serial;
    thread.process = 1;
    thread.tid = tid;
    thread.created = thread.started = 1;
    thread.ended = 100'000;
    scheduler.switches.push_back({1, tid, 0, 0});
  }
  // The recorder saw it, without a word of who had it.
  void add_wait(std::uint64_t from, std::uint64_t to, std::uint64_t site) {
    const auto add = [&](std::uint64_t when, Type type) {
      threads[kWaiter].events.push_back(
          {when << 8 | static_cast<std::uint8_t>(type), trace::pack(kLock, Kind::mutex), site, 0});
    };
    add(from, Type::wait_begin);
    add(to, Type::wait_end);
    sleep(from, to);
  }
  // The kernel saw it: the waiter sleeps on the lock, and the holder lets it go.
  void sleep(std::uint64_t from, std::uint64_t to) {
    scheduler.switches.push_back({from, kWaiterTid, 0, Switch::kOut | Switch::kToOwn});
    scheduler.switches.push_back({to, kWaiterTid, 0, 0});
    scheduler.sleeps.push_back({from, kWaiterTid, SYS_futex, kLock});
    scheduler.wakes.push_back({to - 1, kWaiterTid, kHolderTid, SYS_futex, 0});
  }
};

TEST(Contention, WhoLetsGoAMutexOfWhichOnlyTheKernelTellsHadIt) {
  Made recording;
  recording.add_wait(10'000, 20'000, kHere);
  recording.sleep(30'000, 40'000);
  const Analysis analysis = analyse(recording);
  ASSERT_EQ(analysis.contention.size(), 1u);
  const LockSite& site = analysis.contention[0];
  EXPECT_EQ(site.kind, Kind::mutex);  // of a futex, as the kernel calls it, nobody has it
  EXPECT_EQ(site.contended, 2u);
  EXPECT_EQ(site.total_ns, 20'000u);
  EXPECT_EQ(site.holders, (std::map<std::uint64_t, std::uint64_t>{{kHolder, 2}}));
}

TEST(Contention, OfAFutexThatNobodyKnowsWhoLetGoIsNoHolder) {
  Made recording;
  recording.sleep(30'000, 40'000);
  const Analysis analysis = analyse(recording);
  ASSERT_EQ(analysis.contention.size(), 1u);
  EXPECT_EQ(analysis.contention[0].kind, Kind::futex);
  EXPECT_TRUE(analysis.contention[0].holders.empty());
  EXPECT_EQ(analysis.contention[0].wakers, (std::map<std::uint64_t, std::uint64_t>{{kHolder, 1}}));
}

TEST(Contention, AWaitWithoutAPlaceIsShownBesideTheOthersIfTheyAreSeveral) {
  Made recording;
  recording.add_wait(10'000, 20'000, kHere);
  recording.add_wait(22'000, 23'000, kThere);
  recording.add_wait(24'000, 25'000, kThere);
  recording.sleep(30'000, 50'000);
  const Analysis analysis = analyse(recording);
  ASSERT_EQ(analysis.contention.size(), 3u);
  EXPECT_EQ(analysis.contention[0].site, "a place not seen, else at 0x400020 and 1 more");
  EXPECT_EQ(analysis.contention[0].contended, 1u);
  EXPECT_EQ(analysis.contention[1].site, "0x400010");
  EXPECT_EQ(analysis.contention[2].site, "0x400020");
  EXPECT_EQ(analysis.contention[2].contended, 2u);
}

// The kernel gives the id of a thread that has ended to another one.
TEST(Contention, AnIdThatIsUsedAgainIsWhoeverHasItThen) {
  constexpr std::uint64_t kLater = 3, kOther = 0x6000;
  Made recording;
  recording.add_wait(10'000, 20'000, kHere);
  recording.add_thread(kLater, kHolderTid);
  recording.threads[kHolder].ended = 25'000;
  recording.threads[kLater].created = recording.threads[kLater].started = 26'000;
  recording.scheduler.switches.back().ns = 26'000;
  recording.sleep(30'000, 40'000);
  recording.objects[{1, kLock}] = "journal";
  recording.objects[{2, kOther}] = "of nobody here";  // a process in which nothing waited for it
  const Analysis analysis = analyse(recording);
  ASSERT_EQ(analysis.contention.size(), 1u);
  EXPECT_EQ(analysis.contention[0].object_name, "journal");
  EXPECT_EQ(analysis.contention[0].holders,
            (std::map<std::uint64_t, std::uint64_t>{{kHolder, 1}, {kLater, 1}}));
}

TEST(Lives, OfAThreadWhoseReturnWasNotToldTheNextWaitIsKnown) {
  Made recording;
  recording.scheduler.switches.push_back(
      {10'000, kWaiterTid, 0, Switch::kOut | Switch::kPreempted | Switch::kToOther});
  recording.add_wait(20'000, 90'000, kHere);
  const Analysis analysis = analyse(recording);

  EXPECT_EQ(analysis.blocked_ns, 69'999u) << "until it was let go";
  EXPECT_EQ(analysis.named_ns, analysis.blocked_ns);
  EXPECT_EQ(analysis.voluntary, 1u);
  EXPECT_EQ(analysis.involuntary, 1u);
}

TEST(Lives, AWaitThatTheKernelTakesForLongerIsOneWait) {
  Made recording;
  recording.add_wait(10'000, 20'000, kHere);
  recording.scheduler.switches.back().ns = 50'000;  // it ran at 20'000 and slept again, untold
  recording.scheduler.wakes.back().ns = 49'999;
  const Analysis analysis = analyse(recording);
  EXPECT_EQ(analysis.named_ns, analysis.blocked_ns);
  ASSERT_EQ(analysis.contention.size(), 1u);
  EXPECT_EQ(analysis.contention[0].contended, 1u);
}

}  // namespace
}  // namespace thrum::analysis
