// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/group.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "support/blocked.h"
#include "support/expect.h"
#include "support/refusing_pthread_create.h"
#include "threading/thread_support.h"
#include "thrum/threading.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::Refusal;
using test::refuses;
using test::Reports;
using test::until_blocked;

void wait_for_stop(std::stop_token stop) {
  Event never;
  (void)never.wait(stop);
}

TEST(Group, StartRunsAMemberAndJoinWaitsForAll) {
  std::atomic<int> done{0};
  Group group;
  for (int i = 0; i < 5; ++i) group.start([&](int by) { done += by; }, 2);
  group.join();
  EXPECT_EQ(done, 10);
  EXPECT_EQ(group.active_count(), 0u);
}

TEST(Group, StartTakesOptions) {
  Group group;
  const ThreadHandle member = group.start({.name = "part", .daemon = true}, [] {});
  EXPECT_EQ(member.name(), "part");
  EXPECT_TRUE(member.daemon());
  group.join();
  EXPECT_FALSE(member.is_alive());
}

TEST(Group, StartReturnsAHandleThatDoesNotOwn) {
  Event leave;
  Group group;
  {
    const ThreadHandle member = group.start([&] { leave.wait(); });
  }
  EXPECT_EQ(group.active_count(), 1u);
  leave.set();
  group.join();
}

TEST(Group, JoinOfNobodyReturnsAtOnce) {
  Group group;
  group.join();
  EXPECT_TRUE(group.join(nonblocking));
}

TEST(Group, MayBeUsedAgainAfterJoin) {
  int runs = 0;
  Group group;
  for (int round = 0; round < 3; ++round) {
    group.start([&] { ++runs; });
    group.join();
  }
  EXPECT_EQ(runs, 3);
}

TEST(Group, JoinWaitsAlsoForThoseThatMembersStartMeanwhile) {
  std::atomic<int> ended{0};
  Group group;
  std::function<void(int)> grow = [&](int depth) {
    if (depth > 0) {
      group.start(grow, depth - 1);
      group.start(grow, depth - 1);
    }
    ++ended;
  };
  group.start(grow, 5);
  group.join();
  EXPECT_EQ(ended, 63);
}

TEST(Group, JoinGivesUpAtItsDeadline) {
  Event leave;
  Group group;
  group.start([&] { leave.wait(); });
  const test::Stopwatch watch;
  EXPECT_FALSE(group.join(10ms));
  EXPECT_GE(watch.elapsed(), 10ms);
  EXPECT_FALSE(group.join(nonblocking));
  EXPECT_EQ(group.active_count(), 1u);
  leave.set();
  EXPECT_TRUE(group.join(forever));
}

TEST(Group, JoinIsOneDeadlineForAllMembers) {
  Event leave;
  Group group;
  for (int i = 0; i < 4; ++i) group.start([&] { leave.wait(); });
  std::stop_source source;
  std::optional<bool> all;
  Actor joiner([&] { all = group.join(source.get_token()); });
  test::until([&] { return test::is_blocked(joiner.tid()); });
  source.request_stop();
  joiner.join();
  EXPECT_EQ(all, false);
  leave.set();
  group.join();
}

TEST(Group, JoinFromManyThreads) {
  Event leave;
  Group group;
  for (int i = 0; i < 4; ++i) group.start([&] { leave.wait(); });
  {
    const auto join = [&] {
      group.join();
      EXPECT_EQ(group.active_count(), 0u);
    };
    const Actor first(join), second(join);
    test::until([&] { return test::is_blocked(first.tid()) && test::is_blocked(second.tid()); });
    leave.set();
  }
}

TEST(Group, JoinByAMemberThrows) {
  testing::AssertionResult waiting = testing::AssertionFailure(), polling = waiting;
  Event leave;
  Group group;
  group.start([&] {
    leave.wait();  // the last to start is not the only one that is refused
    waiting = refuses("thrum::Group::join", [&] { group.join(); });
    polling = refuses("thrum::Group::join", [&] { (void)group.join(nonblocking); });
  });
  group.start([&](std::stop_token stop) { wait_for_stop(stop); });
  leave.set();
  test::until([&] { return group.active_count() == 1; });
  group.request_stop();
  group.join();
  EXPECT_TRUE(waiting);
  EXPECT_TRUE(polling);
}

TEST(Group, MayBeDestroyedByAMember) {
  Event go;
  ThreadHandle member;
  {
    auto group = std::make_shared<std::unique_ptr<Group>>(std::make_unique<Group>());
    member = (*group)->start([&go, group] {
      go.wait();
      group->reset();
    });
    (*group)->start([](std::stop_token stop) { wait_for_stop(stop); });
  }
  go.set();
  member.join();
  EXPECT_EQ(member.state().end, End::returned);
}

// --- Failures

TEST(Group, TheFirstFailureRequestsStopOfTheRestAndIsRethrownOnce) {
  Reports reports;
  std::atomic<int> stopped{0};
  Group group;
  for (int i = 0; i < 3; ++i) {
    group.start([&](std::stop_token stop) {
      wait_for_stop(stop);
      ++stopped;
    });
  }
  group.start([] { throw std::runtime_error("boom"); });
  try {
    group.join();
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "boom");
  }
  EXPECT_EQ(stopped, 3);
  EXPECT_TRUE(group.stop_token().stop_requested());
  EXPECT_NO_THROW(group.join()) << "once";
  EXPECT_TRUE(reports.told().empty());
}

TEST(Group, JoinWithADeadlineRethrowsToo) {
  Group group;
  group.start([] { throw std::runtime_error("boom"); });
  EXPECT_THROW(while (!group.join(1s)){}, std::runtime_error);
  EXPECT_TRUE(group.join(nonblocking));
}

TEST(Group, AFailureIsNotRethrownBeforeAllHaveEnded) {
  Event leave;
  Group group;
  group.start([&] { leave.wait(); });
  const ThreadHandle fails = group.start([] { throw std::runtime_error("boom"); });
  fails.join();
  EXPECT_FALSE(group.join(nonblocking));
  leave.set();
  EXPECT_THROW(group.join(), std::runtime_error);
}

TEST(Group, FailuresAfterTheFirstGoToTheExcepthook) {
  Reports reports;
  Group group;
  group.start({.name = "first"}, [] { throw std::runtime_error("one"); }).join();
  group.start({.name = "second"}, [] { throw std::runtime_error("two"); }).join();
  EXPECT_THROW(group.join(), std::runtime_error);
  EXPECT_EQ(reports.told(), std::vector<std::string>{"second: two"});
}

TEST(Group, AFailureThatNoJoinRethrewIsReportedByTheDestructor) {
  Reports reports;
  {
    Group group;
    group.start({.name = "part"}, [] { throw std::runtime_error("boom"); }).join();
    EXPECT_TRUE(reports.told().empty());
  }
  EXPECT_EQ(reports.told(), std::vector<std::string>{"part: boom"});
}

TEST(Group, AMemberKeepsItsException) {
  Group group;
  const ThreadHandle member = group.start([] { throw std::runtime_error("boom"); });
  EXPECT_THROW(group.join(), std::runtime_error);
  EXPECT_EQ(test::what_of(member.exception()), "boom");
  EXPECT_EQ(member.state().end, End::threw);
}

TEST(Group, ThatFailedAsksMembersThatStartLaterToStop) {
  bool requested = false;
  Group group;
  group.start([] { throw std::runtime_error("boom"); }).join();
  group.start([&](std::stop_token stop) {
    test::until([&] { return stop.stop_requested(); });
    requested = true;
  });
  EXPECT_THROW(group.join(), std::runtime_error);
  EXPECT_TRUE(requested);
}

// --- Stop

TEST(Group, RequestStopAsksAllMembers) {
  Group group;
  std::vector<ThreadHandle> members;
  for (int i = 0; i < 3; ++i) members.push_back(group.start(wait_for_stop));
  for (const ThreadHandle& member : members) until_blocked(member, Waitable::event);
  EXPECT_TRUE(group.request_stop());
  EXPECT_FALSE(group.request_stop()) << "not the first to ask";
  group.join();
  for (const ThreadHandle& member : members) EXPECT_TRUE(member.stop_token().stop_requested());
}

TEST(Group, RequestStopBeforeStartIsForThoseThatStartLater) {
  Group group;
  EXPECT_FALSE(group.stop_token().stop_requested());
  group.request_stop();
  EXPECT_TRUE(group.stop_token().stop_requested());
  group.start(wait_for_stop);
  group.join();
}

TEST(Group, AMembersOwnRequestStopIsForItAlone) {
  Group group;
  const ThreadHandle one = group.start(wait_for_stop), other = group.start(wait_for_stop);
  one.request_stop();
  one.join();
  EXPECT_FALSE(other.stop_token().stop_requested());
  EXPECT_FALSE(group.stop_token().stop_requested());
  group.request_stop();
}

TEST(Group, DestructorRequestsStopAndJoins) {
  std::atomic<bool> stopped{false};
  {
    Group group;
    group.start([&](std::stop_token stop) {
      wait_for_stop(stop);
      stopped = true;
    });
  }
  EXPECT_TRUE(stopped);
}

TEST(Group, DestructorJoinsDaemonsToo) {
  std::atomic<bool> stopped{false};
  {
    Group group;
    group.start({.daemon = true}, [&](std::stop_token stop) {
      wait_for_stop(stop);
      stopped = true;
    });
  }
  EXPECT_TRUE(stopped);
}

// --- Members that are somebody's Thread

TEST(Group, AThreadBecomesAMemberByItsOption) {
  Event leave;
  Group group;
  Thread thread({.group = &group}, [&] { leave.wait(); });
  EXPECT_EQ(group.active_count(), 0u) << "not started";
  thread.start();
  EXPECT_EQ(group.active_count(), 1u);
  EXPECT_FALSE(group.join(nonblocking));
  leave.set();
  group.join();
  EXPECT_FALSE(thread.is_alive());
}

TEST(Group, AThreadsFailureIsItsGroupsFailure) {
  Reports reports;
  Group group;
  Thread thread({.group = &group}, [] { throw std::runtime_error("boom"); });
  thread.start();
  thread.join();
  EXPECT_TRUE(reports.told().empty());
  EXPECT_THROW(group.join(), std::runtime_error);
}

TEST(Group, AThreadMayOutliveItsGroup) {
  std::optional<Group> group(std::in_place);
  Thread started({.group = &*group}, wait_for_stop), later({.group = &*group}, wait_for_stop);
  started.start();
  group.reset();
  EXPECT_FALSE(started.is_alive());
  later.start();  // asked to stop at once, as the group did
  later.join();
}

// --- What the system refuses

class RefusedMember : public testing::Test {
  void SetUp() override {
    if (!Refusal::possible()) GTEST_SKIP() << "a shared build's calls cannot be replaced";
  }
};

// hard-bugs 26
TEST_F(RefusedMember, ThoseThatStartedAreStoppedAndJoined) {
  std::atomic<int> stopped{0};
  Group group;
  const Refusal refusal(3);
  std::vector<ThreadHandle> members;
  EXPECT_THROW(for (int i = 0; i < 6; ++i) members.push_back(group.start([&](std::stop_token stop) {
    wait_for_stop(stop);
    ++stopped;
  })),
               std::system_error);
  EXPECT_EQ(members.size(), 3u);
  EXPECT_EQ(stopped, 3);
  for (const ThreadHandle& member : members) EXPECT_FALSE(member.is_alive());
  EXPECT_EQ(group.active_count(), 0u);
  EXPECT_NO_THROW(group.join());
}

TEST_F(RefusedMember, AFailureOfThoseThatStartedIsKept) {
  Group group;
  group.start([] { throw std::runtime_error("boom"); });
  {
    const Refusal refusal(0);
    EXPECT_THROW(group.start([] {}), std::system_error);
  }
  EXPECT_THROW(group.join(), std::runtime_error);
}

TEST_F(RefusedMember, MayBeStartedByAMemberWhichIsNotJoinedThen) {
  std::atomic<bool> refused{false};
  Group group;
  group.start(wait_for_stop);
  group.start([&] {
    const Refusal refusal(0);
    try {
      group.start([] {});
    } catch (const std::system_error&) {
      refused = true;
    }
  });
  group.join();
  EXPECT_TRUE(refused);
}

TEST_F(RefusedMember, AThreadOfYoursIsNewAgainAndTheGroupGoesOn) {
  Group group;
  const ThreadHandle other = group.start(wait_for_stop);
  Thread thread({.group = &group}, [] {});
  {
    const Refusal refusal(0);
    EXPECT_THROW(thread.start(), std::system_error);
  }
  EXPECT_TRUE(other.is_alive());
  EXPECT_EQ(group.active_count(), 1u);
  thread.start();
  thread.join();
  group.request_stop();
}

// --- Many

TEST(Group, OfAThousandMembers) {
  std::atomic<int> done{0};
  Group group;
  for (int i = 0; i < 1000; ++i) group.start({.stack_size = 256 * 1024}, [&] { ++done; });
  group.join();
  EXPECT_EQ(done, 1000);
}

TEST(Group, MembersThatEndBeforeTheirStartReturnsAreJoinedToo) {
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> done{0};
    Group group;
    for (int i = 0; i < 4; ++i) group.start([&] { ++done; });
    group.join();
    EXPECT_EQ(done, 4);
  }
}

struct Boom : std::runtime_error {
  using std::runtime_error::runtime_error;
};

TEST(Group, OfManyThatFailTogetherRethrowsOneAndReportsTheOthers) {
  Reports reports;
  {
    Group group;
    for (int i = 0; i < 20; ++i) group.start([] { throw Boom("boom"); });
    EXPECT_THROW(group.join(), Boom);
  }
  EXPECT_EQ(reports.told().size(), 19u);
}

}  // namespace
}  // namespace thrum
