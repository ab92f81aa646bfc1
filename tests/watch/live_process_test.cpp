// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/live_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "support/blocked.h"

namespace thrum::analysis {
namespace {

TEST(LiveProcess, KnowsThePlacesOfAProgramThatWasLookedAtBeforeItsLibrariesWereLoaded) {
  const pid_t pid = ::fork();
  ASSERT_NE(pid, -1);
  if (pid == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::execl(DEADLOCK, DEADLOCK, nullptr);
    ::_exit(127);
  }
  ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);  // stopped before its first instruction
  LiveProcess process(pid);
  ASSERT_EQ(::ptrace(PTRACE_DETACH, pid, nullptr, nullptr), 0);

  const auto takes_a_lock = [&](const LiveThread& thread) {
    return thread.blocked && thread.waiting.kind == trace::Kind::mutex;
  };
  const auto waiters = [&] {
    process.look();
    return std::ranges::count_if(process.threads(),
                                 [&](const auto& one) { return takes_a_lock(one.second); });
  };
  test::until([&] { return waiters() == 3; });
  for (const auto& [tid, thread] : process.threads()) {
    if (!takes_a_lock(thread)) continue;
    const std::vector<Frame> frames = process.frames(thread.stack);
    EXPECT_TRUE(std::ranges::any_of(
        frames, [](const Frame& frame) { return frame.function.starts_with("take("); }));
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

}  // namespace
}  // namespace thrum::analysis
