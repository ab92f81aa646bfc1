// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "check/server.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "check/doors.h"
#include "check/fiber.h"
#include "check/modules.h"
#include "check/order.h"
#include "check/protocol.h"
#include "check/repeat.h"
#include "check/strategies/strategy.h"

extern "C" void __cxa_finalize(void*);

namespace thrum::check {
namespace {

constexpr std::size_t kSpareHeap = 64U << 20;

void post(std::atomic<std::uint32_t>& word) noexcept {
  raw_syscall(SYS_futex, as_long(&word), FUTEX_WAKE, 1);
}

void say_phase(Phase phase) noexcept {
  engine.shared->phase.store(phase, std::memory_order_release);  // [answer]
  raw_syscall(SYS_futex, as_long(&engine.shared->phase), FUTEX_WAKE, 1);
}

// What this process writes has been seen before.
void silence() noexcept {
  const long nothing = raw_syscall(SYS_openat, AT_FDCWD, as_long("/dev/null"), O_WRONLY);
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) raw_syscall(SYS_dup3, nothing, fd, 0);
}

// Returns in the process that makes the execution; elsewhere its wait status.
bool fork_execution(std::uint64_t number, int& status) noexcept {
  Shared& shared = *engine.shared;
  shared.result = {};
  ++shared.counts.forks;
  const pid_t child = _Fork();
  if (child < 0) die("cannot fork");
  if (child == 0) {
    raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
    if (shared.job.watches) silence();
    engine.started = true;
    engine.on = true;
    order_begin();
    begin_execution(number);
    return true;
  }
  shared.worker.store(child, std::memory_order_relaxed);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  shared.worker.store(0, std::memory_order_relaxed);
  return false;
}

// What became of a process that could not say it itself.
void judge_death(int status) noexcept {
  Result& result = engine.shared->result;
  if (result.outcome != Outcome::running) return;
  if (WIFSIGNALED(status)) {
    result.status = WTERMSIG(status);
    result.outcome = result.status == SIGABRT   ? Outcome::aborted
                     : result.status == SIGKILL ? Outcome::hang
                                                : Outcome::crash;
  } else {
    result.status = WEXITSTATUS(status);
    result.outcome = result.status == 0 ? Outcome::clean : Outcome::exit_status;
    copy_text(result.message, sizeof result.message, "the process ended by itself");
  }
  account();
}

void refuse_fast(const char* why) noexcept {
  engine.shared->refused_fast = true;
  copy_text(engine.shared->refused_reason, sizeof engine.shared->refused_reason, why);
}

// Makes the last execution of a repeater again, in a fresh process. Returns true in that process.
bool make_again() noexcept {
  Shared& shared = *engine.shared;
  const Checked checked = shared.checked;
  const Estimates estimates = shared.estimates;
  const std::uint32_t points = shared.points;
  shared.estimates = checked.estimates;
  shared.points = checked.points;
  shared.job.again = true;
  int status = 0;
  if (fork_execution(checked.number, status)) return true;
  judge_death(status);
  shared.job.again = false;
  shared.estimates = estimates;
  shared.points = points;
  ++shared.counts.compared;
  return false;
}

// The two should be the same, and are not if the program looks at what is not put back: memory that
// it never wrote, or the kernel's. What was found in place counts only if a fresh process finds
// something too; after some that do not, all executions are made in forks. Returns true in a
// process that makes an execution.
bool compare_with_fork() noexcept {
  constexpr std::uint32_t kUnconfirmed = 3;
  static constinit std::uint32_t unconfirmed = 0;
  Shared& shared = *engine.shared;
  const std::uint64_t hash = shared.checked.hash;
  const Outcome outcome = shared.result.outcome;
  const bool found = is_finding(outcome);
  if (!found && hash == 0) return false;
  if (make_again()) return true;
  if (!found) {
    if (shared.result.hash != hash) refuse_fast("put back in place it did not do the same again");
    shared.result.outcome = outcome;
  } else if (!is_finding(shared.result.outcome) && ++unconfirmed == kUnconfirmed) {
    refuse_fast("what was found in place does not happen in a fresh process");
  }
  return false;
}

// Only now is it known whose stack to record: of the first of two accesses that race.
bool should_watch() noexcept {
  const Shared& shared = *engine.shared;
  const Outcome outcome = shared.result.outcome;
  return shared.job.record && (outcome == Outcome::race || outcome == Outcome::use_after_free);
}

// Returns true in a process that makes an execution, false when the job is done.
bool run_job() noexcept {
  Shared& shared = *engine.shared;
  const Job& job = shared.job;
  for (std::uint64_t done = 0; done < job.count;) {
    if (shared.stop.load(std::memory_order_relaxed) != 0) return false;
    const std::uint64_t number = job.first + done * job.stride;
    int status = 0;
    bool is_advanced = false;  // a depth-first search, past the last execution
    if (job.fast && !shared.refused_fast) {
      const std::uint64_t before = shared.counts.schedules;
      Repeater repeater = fork_repeater(number, job.count - done, status);
      while (repeater == Repeater::asks) {
        if (compare_with_fork()) return true;
        repeater = shared.refused_fast ? end_repeater(status) : resume_repeater(status);
      }
      if (repeater == Repeater::executes) return true;
      judge_death(status);
      done += shared.counts.schedules - before;
      const bool found = is_finding(shared.result.outcome);
      is_advanced = shared.checked.hash != 0;  // by the repeater, if it came that far
      const bool is_comparable = found || (done != 0 && job.strategy != StrategyId::dfs);
      if (is_comparable && !shared.refused_fast && compare_with_fork()) return true;
    } else {
      if (fork_execution(number, status)) return true;
      judge_death(status);
      if (should_watch()) {
        shared.job.watched = shared.result.race[0];
        shared.job.watches = shared.job.again = true;
        if (fork_execution(number, status)) return true;
        shared.job.watches = shared.job.again = false;
      }
      ++done;
    }
    switch (shared.result.outcome) {
      case Outcome::more_donors:
        --done;
        is_advanced = true;  // the same has to be made again
        if (!prepare_donors(donors() * 2)) die("the system has no more threads");
        break;
      case Outcome::kernel_state:
        shared.refused_fast = true;
        is_advanced = true;
        if (shared.refused_reason[0] != 0) break;
        Line(shared.refused_reason, sizeof shared.refused_reason)
            .add("it calls ")
            .add(shared.result.message)
            .add("(), whose effect outlives an execution");
        break;
      case Outcome::unsupported:
        return false;
      default:
        if (is_finding(shared.result.outcome)) return false;
    }
    if (job.strategy == StrategyId::dfs && !is_advanced && !advance_dfs()) {
      shared.exhausted = true;
      return false;
    }
    if (shared.exhausted) return false;
  }
  return false;
}

// The one execution of this process, without a server: a fork would have none of the threads. The
// schedule is there already. A debugger may start the same process image again: nothing is left
// of the run before.
void begin_with_own_threads() noexcept {
  Shared& shared = *engine.shared;
  shared.result = {};
  shared.counts = {};
  shared.worker.store(0, std::memory_order_relaxed);
  while (donors() + 1 < shared.job.own_threads) {  // in the same steps as run_job()
    if (!prepare_donors(donors() * 2)) die("the system has no more threads");
  }
  use_own_threads(shared.job.own_threads);
  engine.started = true;
  engine.on = true;
  order_begin();
  begin_execution(0);
}

}  // namespace

void serve(std::uint32_t first_donors) noexcept {
  Shared& shared = *engine.shared;
  engine.on = false;
  std::fflush(nullptr);  // or each execution would print it again
  if (!prepare_donors(first_donors)) die("the system has no more threads");
  std::free(std::malloc(kSpareHeap));  // the heap's end stays where it is from now on
  read_modules();
  std::uint64_t unused[1];
  take_stack(unused, 1);  // what libgcc_s does once, it has done
  let_faults_through();
  if (shared.job.own_threads != 0) {
    begin_with_own_threads();
    return;
  }
  prepare_repeating();
  say_phase(Phase::ready);
  for (std::uint32_t seen = 0;;) {
    const std::uint32_t command = shared.command.load(std::memory_order_acquire);  // [command]
    if (command == seen) {
      raw_syscall(SYS_futex, as_long(&shared.command), FUTEX_WAIT, seen);
      continue;
    }
    seen = command;
    if (run_job()) return;
    shared.answered.store(seen, std::memory_order_release);  // [answer]
    post(shared.answered);
  }
}

void server_process_ends() noexcept {
  account();
  if (!engine.started) say_phase(Phase::ended);
  raw_syscall(SYS_exit_group, 0);
  __builtin_unreachable();
}

void end_process(int status) noexcept {
  // What the program registered runs under control too: it may join threads.
  point(Op::process_end, &engine, 0);
  engine.run.ending = true;
  run_thread_destructors();
  __cxa_finalize(nullptr);
  if (!engine.fast) std::fflush(nullptr);
  end_execution(status);
}

void end_execution(int status) noexcept {
  Shared& shared = *engine.shared;
  if (status != 0) {
    char text[48];
    Line(text, sizeof text).add("exit status ").add(static_cast<std::uint64_t>(status & 255));
    finish(Outcome::exit_status, text, status);
  }
  for (std::uint32_t i = 1; shared.job.leaks && i < engine.run.threads; ++i) {
    const Thread& thread = engine.thread[i];
    if (thread.finished && thread.held_count != 0) {
      shared.result.address = reinterpret_cast<std::uintptr_t>(thread.held[0].object);
      finish(Outcome::leak, "a thread ended with a lock held", 0, thread.held[0].pc);
    }
    // One that still runs ends with the process, as daemons do.
    if (!thread.finished || thread.joined || thread.detached) continue;
    shared.result.address = i;
    finish(Outcome::leak, "a thread that ended was neither joined nor detached", 0,
           shared.thread[i].created_pc);
  }
  shared.result.outcome = Outcome::clean;
  shared.result.hash = engine.run.hash;
  shared.result.threads = engine.run.threads;
  if (engine.fast) repeat_again();
  engine.on = false;
  server_process_ends();
}

void take_control() noexcept {
  const char* const descriptor = std::getenv(kDescriptorVariable);
  if (descriptor == nullptr || engine.shared != nullptr) return;
  const int fd = std::atoi(descriptor);
  unsetenv(kDescriptorVariable);  // not for programs that this one starts
  void* const at =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (at == MAP_FAILED) die("cannot map what the controller shares");
  close(fd);
  engine.shared = static_cast<Shared*>(at);
  if (engine.shared->protocol != kProtocol) die("the runtime and the command differ in version");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  // One heap, which neither shrinks nor is beside other mappings: addresses repeat themselves.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  read_modules();
  watch_crashes();
  order_prepare();
  prepare_keys();
  prepare_thread_ends();
  prepare_mappings();
  prepare_signal_doors();
  begin_process();
  begin_execution(0);
  engine.on = true;
}

}  // namespace thrum::check
