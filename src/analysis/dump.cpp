// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/dump.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "analysis/alarm.h"
#include "analysis/live_process.h"
#include "analysis/places.h"
#include "analysis/running_stacks.h"
#include "analysis/session.h"

namespace thrum::analysis {

using trace::Kind;

namespace {

constexpr useconds_t kBetweenUs = 100'000;

std::string text_of_state(const LiveThread& thread) {
  switch (thread.state) {
    case 'T':
    case 't':
      return "stopped";
    case 'Z':
    case 'X':
      return "ended";
    case 'D':
      return "blocked, cannot be interrupted";
    case 'R':
      return "running";
    default:
      return thread.blocked ? "blocked" : "running";
  }
}

class Dump {
 public:
  Dump(std::uint32_t pid, bool stop) : process_(static_cast<pid_t>(pid)), stop_(stop) {
    dump_.pid = pid;
    dump_.command = command_of(static_cast<pid_t>(pid));
  }

  ThreadDump take() {
    process_.look();
    (void)process_.deadlocks();
    usleep(kBetweenUs);
    process_.look();
    if (process_.is_gone() || process_.threads().empty()) throw CannotWatch("it has just ended");
    find_alarms();
    // Before anybody is stopped, and with that let run again.
    for (const auto& [tid, thread] : process_.threads()) {
      if (thread.blocked) since_[tid] = ns_since_it_ran(process_.pid(), static_cast<pid_t>(tid));
    }
    read_running();
    for (const auto& [tid, thread] : process_.threads()) add(thread);
    std::stable_partition(dump_.threads.begin(), dump_.threads.end(),
                          [&](const auto& thread) { return thread.tid == dump_.pid; });
    say_level();
    return std::move(dump_);
  }

 private:
  std::string name_of_thread(std::uint32_t tid) const {
    return comm_of(process_.pid(), static_cast<pid_t>(tid));
  }

  void find_alarms() {
    for (const Cycle& cycle : process_.deadlocks()) {
      dump_.alarms.push_back(deadlock_alarm(cycle, 0, [&](const Link& link) -> Described {
        const LiveThread* const thread = process_.by_serial(link.thread.thread);
        if (thread == nullptr) return {};
        return {thread->tid, name_of_thread(thread->tid), process_.variable(thread->waiting.object),
                process_.frames(thread->stack)};
      }));
    }
  }

  // Those that /proc does not show, or all if they are to be stopped.
  void read_running() {
    if (stop_) {
      exact_ = stop_and_read(process_, refusal_);
      return;
    }
    std::vector<pid_t> running;
    for (const auto& [tid, thread] : process_.threads()) {
      if (!thread.blocked && thread.state == 'R') running.push_back(static_cast<pid_t>(tid));
    }
    exact_ = sample_running(running, refusal_);
  }

  void add(const LiveThread& thread) {
    const auto tid = static_cast<pid_t>(thread.tid);
    ThreadDump::Thread one;
    one.tid = thread.tid;
    one.name = name_of_thread(thread.tid);
    one.state = text_of_state(thread);
    one.turns = thread.turns;
    std::tie(one.voluntary, one.involuntary) = switches_of(process_.pid(), tid);
    if (thread.blocked) {
      one.waiting = thread.waiting;
      one.object = waiting_text(dump_.pid, thread.call, thread.waiting,
                                process_.variable(thread.waiting.object));
      one.holder = thread.holder != 0 ? thread.holder : thread.waiting.holder;
      if (thread.holder != 0) one.holder_name = name_of_thread(thread.holder);
      one.for_ns = since_[thread.tid];
    }
    std::vector<std::uint64_t> stack = thread.stack;
    bool complete = false;
    if (const auto exact = exact_.find(tid); exact != exact_.end()) {
      stack = process_.unwind(exact->second.registers, exact->second.bytes, Symbols::Known::all);
    } else if (stack.empty()) {
      one.no_stack = thread.state == 'R' ? "it runs, and was not caught on a processor"
                                         : "it moved while it was read";
    }
    one.frames = process_.frames(stack);
    if (!one.frames.empty()) complete = is_outermost(one.frames.back().function);
    if (!one.frames.empty() && !complete && !stop_) {
      one.no_stack = "the rest needs registers: --stop reads them";
    }
    dump_.threads.push_back(std::move(one));
  }

  // Where threads begin, as libc, musl, Go and the dynamic linker call it.
  static bool is_outermost(const std::string& function) {
    static constexpr std::string_view kBegin[] = {
        "_start",       "clone3",         "clone",          "__clone3",
        "__clone",      "_dl_start_user", "runtime.goexit", "start_thread",
        "thread_start", "runtime.mstart", "runtime.rt0_go", "_rt0_amd64"};
    return std::ranges::any_of(kBegin, [&](auto name) { return function.starts_with(name); });
  }

  void say_level() {
    if (stop_) {
      dump_.level = "all threads stopped for a moment (ptrace)";
      dump_.cannot_tell = "who holds a semaphore, a read lock or the futex of another library";
    } else {
      dump_.level = "looked at from outside, nobody stopped";
      dump_.cannot_tell = "who holds a semaphore, a read lock or the futex of another library";
      const bool missing = std::ranges::any_of(dump_.threads, [](const auto& thread) {
        return thread.frames.empty() && thread.state == "running";
      });
      if (missing) dump_.cannot_tell += "; the stack of each thread that runs";
    }
    dump_.advice = refusal_;
  }

  LiveProcess process_;
  bool stop_;
  ThreadDump dump_;
  std::map<std::uint32_t, std::optional<std::uint64_t>> since_;
  std::map<pid_t, Registered> exact_;
  std::string refusal_;
};

}  // namespace

ThreadDump dump_threads(std::uint32_t pid, bool stop, Privileges& privileges) {
  const auto id = static_cast<pid_t>(pid);
  const std::string why = [&] {
    const auto raised = privileges.raise();
    return why_not_attach(id);
  }();
  if (!why.empty()) throw CannotWatch(why);
  privileges.drop(!why_not_attach(id).empty());
  return Dump(pid, stop).take();
}

std::string waiting_text(std::uint32_t pid, const Call& call, const Waiting& waiting,
                         const std::string& variable) {
  switch (waiting.kind) {
    case Kind::sleep:
      return "sleep";
    case Kind::call: {
      std::string name = name_of_call(call.number);
      if (!waits_for_descriptor(call.number)) return name;
      const std::string what = descriptor_of(static_cast<pid_t>(pid), call.arguments[0]);
      return what.empty() ? fmt::format("{}({})", name, call.arguments[0])
                          : fmt::format("{}({}: {})", name, call.arguments[0], what);
    }
    case Kind::join:
      return "the end of a thread";
    default:
      return variable.empty() ? fmt::format("{} {:#x}", name_of(waiting.kind), waiting.object)
                              : fmt::format("{} {}", name_of(waiting.kind), variable);
  }
}

Json json_of(const ThreadDump& dump) {
  Json threads = Json::array();
  for (const ThreadDump::Thread& thread : dump.threads) {
    Json frames = Json::array();
    for (const Frame& frame : thread.frames) {
      frames.push_back({{"function", frame.function},
                        {"file", frame.file},
                        {"line", frame.line},
                        {"module", frame.module}});
    }
    Json one{{"tid", thread.tid},
             {"name", thread.name},
             {"state", thread.state},
             {"running_ns", thread.turns.running_ns},
             {"ready_ns", thread.turns.ready_ns},
             {"switches_voluntary", thread.voluntary},
             {"switches_involuntary", thread.involuntary}};
    if (thread.waiting.kind != Kind::none) {
      one["waits_for"] = thread.object;
      one["kind"] = name_of(thread.waiting.kind);
      one["address"] = thread.waiting.kind == Kind::call ? 0 : thread.waiting.object;
      one["timed"] = thread.waiting.timed;
      if (thread.for_ns) one["for_ns"] = *thread.for_ns;
      if (thread.holder != 0) one["held_by"] = thread.holder;
      if (thread.waiting.readers != 0) one["held_by_readers"] = thread.waiting.readers;
    }
    one["stack"] = std::move(frames);
    if (!thread.no_stack.empty()) one["stack_note"] = thread.no_stack;
    threads.push_back(std::move(one));
  }
  return Json{{"pid", dump.pid},
              {"command", dump.command},
              {"level", dump.level},
              {"cannot_tell", dump.cannot_tell},
              {"advice", dump.advice},
              {"deadlocks", dump.alarms},
              {"threads", std::move(threads)}};
}

}  // namespace thrum::analysis
