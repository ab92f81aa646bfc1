// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "check/repeat.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "check/engine.h"
#include "check/fiber.h"
#include "check/objects.h"
#include "check/order.h"
#include "check/snapshot.h"
#include "check/strategies/strategy.h"

namespace thrum::check {
namespace {

constexpr std::size_t kLoopStack = 256U << 10;

struct State {
  char* loop_stack;
  void* loop;  // the context of the loop
  std::uint64_t number, most;
  pid_t process;
  Execution run;
  Thread main;
};
constinit State state{};
constinit std::uint32_t chunk = 64;
constexpr std::uint32_t kLargestChunk = 4096;
// One of so many executions is made again in a fork. That costs as much as some thousand steps, so
// that short ones wait until they were so many.
constexpr std::uint64_t kCompared = 512;
constexpr std::uint64_t kComparedSteps = 1U << 18;

// Stops until the server has made the last execution again and is content.
void ask_for_comparison() noexcept {
  engine.shared->checked.is_asked = true;
  raw_syscall(SYS_kill, raw_syscall(SYS_getpid), SIGSTOP);
}

Repeater await(int& status) noexcept {
  Shared& shared = *engine.shared;
  shared.worker.store(state.process, std::memory_order_relaxed);
  for (;;) {
    if (waitpid(state.process, &status, WUNTRACED) < 0) {
      if (errno == EINTR) continue;
      break;
    }
    if (!WIFSTOPPED(status)) break;
    if (shared.checked.is_asked) {
      shared.checked.is_asked = false;
      return Repeater::asks;
    }
    // Somebody stopped all of us from a terminal, and continued us: what comes after may be that.
    raw_syscall(SYS_kill, state.process, SIGCONT);
  }
  shared.worker.store(0, std::memory_order_relaxed);
  if (chunk < kLargestChunk) chunk *= 4;
  return Repeater::ended;
}

void loop(void*) {
  Shared& shared = *engine.shared;
  take_snapshot(engine.thread[0].stack_pointer);
  state.run = engine.run;
  state.main = engine.thread[0];
  if (state.most > chunk) state.most = chunk;
  std::uint64_t since = 0;  // the last comparison
  std::uint64_t steps = 0;
  for (std::uint64_t done = 0; done < state.most; ++done) {
    forget_objects();
    engine.run = state.run;
    engine.thread[0] = state.main;
    engine.alive[0] = &engine.thread[0];  // it may have ended before others
    order_begin();
    shared.checked = {state.number + done * shared.job.stride, 0, shared.points, shared.estimates,
                      false};
    begin_execution(shared.checked.number);
    engine.on = engine.started = engine.fast = true;
    switch_context(&state.loop, state.main.stack_pointer, state.main.thread_pointer);
    engine.on = false;
    shared.checked.hash = shared.result.hash;
    account();
    shared.progress.fetch_add(1, std::memory_order_relaxed);
    if (shared.job.strategy == StrategyId::dfs && !advance_dfs()) {
      shared.exhausted = true;
      break;
    }
    if (shared.stop.load(std::memory_order_relaxed) != 0) break;
    ++since;
    steps += shared.result.steps;
    const bool is_last = done + 1 == state.most;  // it is made again anyway
    if (since >= kCompared && steps >= kComparedSteps && !is_last &&
        shared.job.strategy != StrategyId::dfs) {
      ask_for_comparison();
      since = steps = 0;
    }
    put_back();
  }
  raw_syscall(SYS_exit_group, 0);
}

}  // namespace

void prepare_repeating() noexcept {
  prepare_snapshots();
  state.loop_stack = static_cast<char*>(map_memory(kLoopStack, "a stack"));
}

Repeater fork_repeater(std::uint64_t number, std::uint64_t most, int& status) noexcept {
  Shared& shared = *engine.shared;
  shared.result = {};
  shared.checked = {};
  ++shared.counts.forks;
  state.number = number;
  state.most = most;
  state.process = _Fork();
  if (state.process < 0) die("cannot fork");
  if (state.process == 0) {
    raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
    void* const context = make_context(state.loop_stack + kLoopStack, loop, nullptr);
    switch_context(&engine.thread[0].stack_pointer, context, 0);
    return Repeater::executes;  // each time
  }
  return await(status);
}

Repeater resume_repeater(int& status) noexcept {
  raw_syscall(SYS_kill, state.process, SIGCONT);
  return await(status);
}

Repeater end_repeater(int& status) noexcept {
  raw_syscall(SYS_kill, state.process, SIGKILL);
  return await(status);
}

void repeat_again() noexcept {
  void* forgotten = nullptr;
  switch_context(&forgotten, state.loop, engine.thread[0].thread_pointer);
  __builtin_unreachable();
}

}  // namespace thrum::check
