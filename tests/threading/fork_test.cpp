// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// hard-bugs 27. Each in a process of its own, which forks: children/forks.cpp.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <system_error>
#include <thread>

#include "support/blocked.h"
#include "support/refusing_pthread_create.h"
#include "support/sanitizer.h"
#include "threading/child.h"
#include "threading/thread_support.h"
#include "thrum/threading.h"

namespace thrum {
namespace {

using test::Child;
using test::Refusal;

class Fork : public testing::TestWithParam<const char*> {};

TEST_P(Fork, TheChildUsesWhatNobodyHeldDestroysTheRestAndExits) {
  if (test::thread_sanitizer) GTEST_SKIP() << "it takes a thread of the child for one of before";
  if (test::address_sanitizer && GetParam() == std::string("storm")) {
    GTEST_SKIP() << "a fork while another thread allocates leaves its allocator locked";
  }
  Child child({std::string("fork.") + GetParam()});
  EXPECT_EQ(child.wait(), "exited 0") << child.out() << child.err();
  EXPECT_EQ(child.out().find("failed: "), std::string::npos) << child.out();
}

INSTANTIATE_TEST_SUITE_P(
    OfA, Fork,
    testing::Values("lock", "lock_with_waiters", "rlock", "semaphore", "event", "condition",
                    "barrier", "queue", "lifo_queue", "priority_queue", "simple_queue",
                    "full_queue", "threads", "forgets_ended_threads", "from_a_thread",
                    "thread_returns_in_child", "from_a_thread_not_ours", "twice", "group", "timer",
                    "timers", "local", "dump", "while_the_parent_computes", "storm"),
    [](const testing::TestParamInfo<const char*>& scene) { return std::string(scene.param); });

// A fork finds a thread that was promised by start() but does not run yet.
TEST(ForkInTheMiddleOfAStart, ForgetsTheThread) {
  if (!Refusal::possible()) GTEST_SKIP() << "a shared build's calls cannot be replaced";
  Thread thread([] {});
  const ThreadHandle handle = thread;
  int result = -1;
  {
    const Refusal refusal(0, [&] {
      std::thread([&] {
        const pid_t child = fork();
        if (child == 0) {
          const bool forgotten = active_count() == 1 && !handle.is_alive() &&
                                 handle.state().end == End::forked && handle.native_id() == 0 &&
                                 handle.join(forever) && !handle.text().empty() &&
                                 dump_text().find(", 1 thread\n") != std::string::npos;
          _exit(forgotten ? 0 : 1);
        }
        int status = -1;
        while (waitpid(child, &status, 0) < 0) {
        }
        result = WIFEXITED(status) ? WEXITSTATUS(status) : -2;
      }).join();
    });
    EXPECT_THROW(thread.start(), std::system_error);
  }
  EXPECT_EQ(result, 0);
}

}  // namespace
}  // namespace thrum
