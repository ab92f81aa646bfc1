// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The end of a process, each time one of its own: children/exits.cpp.
#include <gtest/gtest.h>

#include <string>

#include "support/sanitizer.h"
#include "threading/child.h"

namespace thrum {
namespace {

using test::Child;

// How a scene ended and what it printed.
std::string end_of(const std::string& scene) {
  Child child({"exit." + scene});
  const std::string end = child.wait();
  return end + ": " + child.out() + child.err();
}

TEST(Exit, JoinsThreadsThatAreNoDaemonsAndAsksThemToStop) {
  EXPECT_EQ(end_of("joins"), "exited 7: worker done\nstatics destroyed\n");
  EXPECT_EQ(end_of("joins_after_exit"), "exited 7: worker done\nstatics destroyed\n");
  EXPECT_EQ(end_of("joins_one_that_ignores_stop"), "exited 7: worker done\nstatics destroyed\n");
}

TEST(Exit, JoinsThreadsStartedByThreadsToo) {
  const std::string end = end_of("joins_threads_started_by_threads");
  EXPECT_TRUE(end.starts_with("exited 7: ")) << end;
  for (const std::string done : {"first done\n", "second done\n", "third done\n"}) {
    EXPECT_NE(end.find(done), std::string::npos) << end;
  }
  EXPECT_TRUE(end.ends_with("statics destroyed\n")) << end;
}

TEST(Exit, FreesWhoJoinsTheMainThread) {
  EXPECT_EQ(end_of("joins_main"), "exited 7: main has ended\nworker done\nstatics destroyed\n");
}

TEST(Exit, ByAThreadThatIsWaitedForEndsTheProcess) {
  const std::string end = end_of("exits_during_the_end");
  EXPECT_TRUE(end.starts_with("exited 9: ") || end.starts_with("exited 7: ")) << end;
}

TEST(Exit, JoinsMembersOfAGroup) {
  EXPECT_EQ(end_of("group"),
            "exited 7: member done\nmember done\nmember done\nstatics destroyed\n");
}

TEST(Exit, CancelsTimers) { EXPECT_EQ(end_of("timer"), "exited 7: statics destroyed\n"); }

TEST(Exit, WaitsForTheFunctionOfATimer) {
  EXPECT_EQ(end_of("timer_that_fired"), "exited 7: function done\nstatics destroyed\n");
}

TEST(Exit, PendingDaemonTimersNeverFire) {
  EXPECT_EQ(end_of("daemon_timers"), "exited 7: statics destroyed\n");
}

TEST(Exit, TimersThatNeverRestRunIntoNothing) {
  for (int i = 0; i < 20; ++i) {
    const std::string end = end_of("timers_never_rest");
    EXPECT_TRUE(end == "exited 7: buffered" || end == "exited 7: statics destroyed\nbuffered")
        << end;
  }
}

TEST(Exit, OfMainAloneByPthreadExitLetsTimersFire) {
  if (test::thread_sanitizer) GTEST_SKIP() << "a thread of its own keeps the process";
  EXPECT_EQ(end_of("main_leaves_timers"), "exited 0: fired\nstatics destroyed\n");
}

// hard-bugs 28
TEST(Exit, ADaemonAsleepInOurWaitNeverReturnsFromIt) {
  EXPECT_EQ(end_of("daemon_asleep_in_our_wait"), "exited 7: statics destroyed\nbuffered ");
}

TEST(Exit, ADaemonElsewhereKeepsStaticsAliveAndStdoutIsFlushed) {
  EXPECT_EQ(end_of("daemon_sleeps_elsewhere"), "exited 7: buffered");
  EXPECT_EQ(end_of("daemon_computes"), "exited 7: buffered");
}

TEST(Exit, ADaemonThatHoldsStdoutDoesNotHoldUpTheEnd) {
  if (test::thread_sanitizer) GTEST_SKIP() << "it replaces _exit() by one that waits for stdout";
  EXPECT_EQ(end_of("daemon_holds_stdout"), "exited 7: ");
}

TEST(Exit, DaemonsThatNeverRestRunIntoNothing) {
  for (int i = 0; i < 10; ++i) {
    for (const std::string scene : {"daemon_never_rests", "daemon_starts_threads"}) {
      const std::string end = end_of(scene);
      EXPECT_TRUE(end == "exited 7: buffered" || end == "exited 7: statics destroyed\nbuffered")
          << end;
    }
  }
}

TEST(Exit, FromAThreadWhileMainJoinsDestroysStatics) {
  EXPECT_EQ(end_of("from_a_thread_while_main_joins"), "exited 5: statics destroyed\nbuffered ");
}

TEST(Exit, FromAThreadWhileMainComputesDestroysNothing) {
  EXPECT_EQ(end_of("from_a_thread_while_main_computes"), "exited 5: buffered");
}

TEST(Exit, FromAThreadWhileOthersHoldLocks) {
  EXPECT_EQ(end_of("from_a_thread_while_others_hold_locks"), "exited 5: statics destroyed\n");
}

TEST(Exit, FromAThreadDoesNotWaitForStaticThreadsThatSleepForGood) {
  EXPECT_EQ(end_of("from_a_thread_with_static_threads_asleep"), "exited 5: statics destroyed\n");
}

TEST(Exit, FromAThreadNotOursEndsTheProcess) {
  const std::string end = end_of("from_a_thread_not_ours");
  EXPECT_EQ(end, "exited 5: statics destroyed\n");
}

TEST(Exit, StaticThreadsOfBothKindsAreFine) {
  EXPECT_EQ(end_of("static_threads"), "exited 7: plain done\nstatics destroyed\n");
}

TEST(Exit, AStaticThatStartsAThreadDoesNotHangTheEnd) {
  EXPECT_EQ(end_of("a_static_starts_a_thread"),
            "exited 7: started at the end\nstatics destroyed\n");
}

TEST(Exit, AStaticMayAskAboutThreads) {
  EXPECT_EQ(end_of("a_static_asks_about_threads"), "exited 7: asked\nstatics destroyed\n");
}

TEST(Exit, ThreadLocalsMayUseEverything) {
  EXPECT_EQ(end_of("thread_locals_use_everything"),
            "exited 7: used 4\nused 4\nstatics destroyed\n");
}

TEST(Exit, OfMainAloneByPthreadExitLetsTheOthersFinish) {
  if (test::thread_sanitizer) GTEST_SKIP() << "a thread of its own keeps the process";
  EXPECT_EQ(end_of("main_calls_pthread_exit"),
            "exited 0: main has ended\nworker done\nstatics destroyed\n");
}

}  // namespace
}  // namespace thrum
