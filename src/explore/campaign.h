// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A campaign: many schedules of one program, until one shows a bug or the budget is used up; and
// what is done with a schedule that does.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "check/protocol.h"
#include "explore/program.h"
#include "explore/schedule.h"

namespace thrum::explore {

struct Options {
  std::vector<std::string> command;
  check::StrategyId strategy = check::StrategyId::rotation;
  std::uint32_t depth = 0;  // PCT's, or most preemptions of DFS; 0: varies, any number
  std::uint64_t seed = 1;
  std::uint64_t schedules = 0;  // 0: as many as the time allows
  std::chrono::milliseconds time{60'000};
  unsigned workers = 1;
  std::chrono::milliseconds patience{10'000};  // see TargetOptions
  bool fork = false;                           // a fresh process for each schedule
  bool races = true;
  bool leaks = true;
  std::vector<std::string> suppressed;  // modules whose races are no findings
  bool show_output = false;
  check::Timeouts timeouts = check::Timeouts::some;
  std::uint32_t max_steps = 20'000;
  std::uint32_t exploration = 0;
};

struct Progress {
  check::Counts counts{};
  std::chrono::duration<double> time{};
};

/// One execution, with all that a report needs.
struct Execution {
  check::Result result{};
  Schedule schedule;
  std::vector<check::Event> events;
  std::vector<std::vector<std::uint64_t>> stacks;   // per event
  std::vector<std::vector<std::uint64_t>> pending;  // per thread, of what it was about to do
  std::vector<check::ThreadFacts> threads;
  std::vector<check::ModuleFacts> modules;
  std::vector<check::Shared::Note> notes;
  std::string errors;                             // what it wrote to standard error
  std::shared_ptr<const check::Schedule> wanted;  // that it was told to follow, as addresses
};

struct Finding {
  Execution execution;  // minimised
  Replay replay;
  std::uint64_t schedule_number = 0;
  check::StrategyId strategy{};
  std::size_t switches_before = 0;
  unsigned reruns = 0;
  bool repeats = true;   // else it happened once, and the same schedule again did not show it
  bool is_whole = true;  // else it has more switches than are kept, and only the first of them
};

// too_long: not one of the schedules was seen to its end.
enum class End { budget, found, exhausted, no_threads, unsupported, interrupted, too_long };

struct Outcome {
  End end = End::budget;
  Progress progress;
  std::optional<Finding> finding;
  check::Uncontrolled uncontrolled = 0;
  std::vector<std::string> not_suppressed;  // of Options::suppressed: no module has such a name
  std::string blind;                        // a library for whose sake races are no findings
  std::string fork_reason;                  // why it ran in forks, if that was not asked for
  std::string unsupported;
  std::uint32_t explorations = 0;
  bool more_explorations = false;
};

using OnProgress = std::function<bool(const Progress&)>;  // false: stop

/// Runs a campaign. Throws  CannotCheck, std::system_error.
Outcome explore(const Program& program, const Options& options, const OnProgress& on_progress);

/// Runs one schedule, with fibers or with a system thread for each thread. The hash says whether it
/// was followed.
enum class Threads : std::uint8_t { fibers, own };
Execution replay(const Program& program, const Options& options, const Replay& replay,
                 Threads threads);
/// Becomes gdb, with the program in it: it runs the schedule that was just replayed, with threads
/// of the system. Throws  std::system_error if there is no gdb.
[[noreturn]] void debug(const Program& program, const Options& options, const Execution& replayed);

}  // namespace thrum::explore
