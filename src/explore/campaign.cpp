// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "explore/campaign.h"

#include <algorithm>
#include <memory>

#include "explore/debugger.h"
#include "explore/minimise.h"
#include "explore/target.h"

namespace thrum::explore {
namespace {

using check::Job;
using check::Result;
using check::Shared;

Job job_of(const Options& options) {
  Job job{};
  job.strategy = options.strategy;
  job.timeouts = options.timeouts;
  job.fast = !options.fork;
  job.races = options.races;
  job.leaks = options.leaks;
  job.depth = static_cast<std::uint8_t>(options.depth);
  job.most_preemptions = options.depth == 0 ? check::kAnyNumber : job.depth;
  job.max_steps = options.max_steps;
  job.seed = options.seed;
  job.stride = 1;
  suppress(job, options.suppressed);  // the command has seen that they fit
  return job;
}

void add(check::Counts& sum, const check::Counts& counts) {
  sum.schedules += counts.schedules;
  sum.steps += counts.steps;
  sum.decisions += counts.decisions;
  sum.cut_off += counts.cut_off;
  sum.assumed_away += counts.assumed_away;
  sum.forks += counts.forks;
  sum.compared += counts.compared;
  for (std::size_t i = 0; i < std::size(sum.by_strategy); ++i) {
    sum.by_strategy[i] += counts.by_strategy[i];
  }
}

Execution take(Target& target) {
  const Shared& shared = target.shared();
  Execution execution;
  execution.result = shared.result;
  execution.schedule = happened(shared);
  const std::uint32_t events = std::min(shared.result.steps, check::kEvents);
  execution.events.assign(shared.event, shared.event + events);
  for (std::uint32_t i = 0; i < events; ++i) {
    const auto* const stack = shared.stack[i];
    execution.stacks.emplace_back(stack, std::find(stack, stack + check::kStackDepth, 0U));
  }
  execution.threads.assign(shared.thread, shared.thread + std::max(1U, shared.result.threads));
  execution.modules.assign(shared.module, shared.module + shared.modules);
  execution.notes.assign(shared.note, shared.note + shared.notes);
  for (std::size_t i = 0; i < execution.threads.size(); ++i) {
    const auto* const stack = shared.pending[i];
    execution.pending.emplace_back(stack, std::find(stack, stack + check::kStackDepth, 0U));
  }
  execution.errors = target.take_errors();
  return execution;
}

// Of a replay that needs no server.
Job job_with_threads(const Options& options, const Execution& replayed) {
  Job job = job_of(options);
  job.strategy = check::StrategyId::replay;
  job.fast = false;
  job.record = true;
  job.own_threads = static_cast<std::uint8_t>(std::max(1U, replayed.result.threads));
  return job;
}

// The same program once more, to repeat and reduce what was found.
Finding reduce(const Program& program, Options options, const Result& found,
               const Schedule& schedule, bool is_whole) {
  options.timeouts = found.early_timeouts ? check::Timeouts::any : check::Timeouts::last;
  Finding finding;
  finding.schedule_number = found.schedule_number;
  finding.strategy = found.strategy;
  finding.switches_before = schedule.switches.size();
  finding.is_whole = is_whole;
  Target target(
      program, options.command, job_of(options),
      {.capture_errors = true, .exploration = options.exploration, .patience = options.patience});
  Schedule least = schedule;
  if (target.ready()) {
    Minimiser minimiser(target, job_of(options), found.outcome);
    finding.repeats = minimiser.shows_it(schedule);
    if (finding.repeats) least = minimiser.minimise(schedule);
    finding.reruns = minimiser.runs();
    if (finding.repeats || is_whole) minimiser.record(least);
  }
  finding.execution = take(target);
  if (!finding.repeats) finding.execution.result = found;
  if (!finding.repeats && !is_whole) {  // what was run is another execution
    finding.execution.events.clear();
    finding.execution.stacks.clear();
    finding.execution.notes.clear();
  }
  finding.replay = {.build_id = program.build_id,
                    .hash = finding.execution.result.hash,
                    .schedule = finding.execution.schedule,
                    .timeouts = options.timeouts,
                    .races = options.races,
                    .leaks = options.leaks,
                    .exploration = options.exploration,
                    .max_steps = options.max_steps,
                    .suppressed = options.suppressed};
  return finding;
}

// What was said of the program by any of the processes that ran it.
void hear(const Shared& shared, const Options& options, Outcome& outcome) {
  outcome.uncontrolled |= shared.uncontrolled;
  outcome.not_suppressed.clear();
  for (std::size_t i = 0; i < options.suppressed.size(); ++i) {
    if ((shared.suppressing >> i & 1) == 0) outcome.not_suppressed.push_back(options.suppressed[i]);
  }
}

}  // namespace

Outcome explore(const Program& program, const Options& options, const OnProgress& on_progress) {
  const Clock::time_point begin = Clock::now();
  const unsigned workers =
      options.strategy == check::StrategyId::dfs ? 1 : std::max(1U, options.workers);
  std::vector<std::unique_ptr<Target>> targets;
  Job job = job_of(options);
  job.stride = workers;
  Outcome outcome;
  for (unsigned i = 0; i < workers; ++i) {
    targets.push_back(std::make_unique<Target>(program, options.command, job,
                                               TargetOptions{.show_output = options.show_output,
                                                             .exploration = options.exploration,
                                                             .patience = options.patience}));
  }
  const auto explorations = [&] { outcome.explorations = targets[0]->shared().explorations; };
  for (unsigned i = 0; i < workers; ++i) {
    if (targets[i]->ready()) {
      job.first = i;
      job.count = options.schedules == 0 ? ~std::uint64_t{0} / 2
                                         : (options.schedules + workers - 1 - i) / workers;
      targets[i]->post(job);
      continue;
    }
    // It has ended by itself, before there was anything to schedule.
    explorations();
    hear(targets[i]->shared(), options, outcome);
    outcome.end = End::no_threads;
    if (check::is_finding(targets[i]->result().outcome)) {
      const Result result = targets[i]->result();
      outcome.end = End::found;
      outcome.finding = reduce(program, options, result, {}, true);
    } else if (targets[i]->result().outcome == check::Outcome::unsupported) {
      outcome.end = End::unsupported;
      outcome.unsupported = targets[i]->result().message;
    }
    return outcome;
  }
  explorations();

  Target* finder = nullptr;
  bool is_stopping = false;
  for (std::size_t running = targets.size(); running > 0;) {
    running = 0;
    Progress progress;
    progress.time = Clock::now() - begin;
    for (const auto& target : targets) {
      if (!target->done(std::chrono::milliseconds(is_stopping ? 2 : 50 / workers))) {
        ++running;
      } else if (finder == nullptr && check::is_finding(target->result().outcome)) {
        finder = target.get();
      }
      add(progress.counts, target->shared().counts);
    }
    outcome.progress = progress;
    if (!is_stopping) {
      const bool go_on = on_progress(progress);
      if (!go_on) outcome.end = End::interrupted;
      is_stopping = !go_on || finder != nullptr || Clock::now() - begin >= options.time;
      if (is_stopping) {
        for (const auto& target : targets) target->stop();
      }
    }
  }
  outcome.progress.time = Clock::now() - begin;
  for (const auto& target : targets) {
    const Shared& shared = target->shared();
    if (shared.refused_fast) outcome.fork_reason = shared.refused_reason;
    outcome.blind = shared.blind;
    hear(shared, options, outcome);
    // What was cut off may have gone on in more ways than one.
    if (shared.exhausted && finder == nullptr && shared.counts.cut_off == 0) {
      outcome.end = End::exhausted;
    }
    if (shared.result.outcome == check::Outcome::unsupported) {
      outcome.end = End::unsupported;
      outcome.unsupported = shared.result.message;
    }
  }
  const check::Counts& counts = outcome.progress.counts;
  if (outcome.end == End::budget && counts.cut_off != 0 && counts.cut_off == counts.schedules) {
    outcome.end = End::too_long;
  }
  if (finder != nullptr) {
    outcome.end = End::found;
    const bool is_whole = finder->shared().happened.switches <= check::kSwitches &&
                          finder->shared().happened.choices <= check::kChoices;
    const Result result = finder->result();
    const Schedule schedule = happened(finder->shared());
    targets.clear();
    outcome.finding = reduce(program, options, result, schedule, is_whole);
    if (!outcome.finding->repeats && is_whole && !options.fork) {
      // In a fresh process the same schedule goes well, so it was not the schedule: something that
      // is not put back between executions in place.
      Options forking = options;
      forking.fork = true;
      forking.time -= std::chrono::duration_cast<decltype(forking.time)>(Clock::now() - begin);
      outcome = explore(program, forking, on_progress);
      outcome.fork_reason = "a fresh process goes another way";
    }
  }
  return outcome;
}

Execution replay(const Program& program, const Options& options, const Replay& replay,
                 Threads threads) {
  Target target(program, options.command, job_of(options),
                {.show_output = options.show_output,
                 .capture_errors = true,
                 .exploration = options.exploration});
  if (target.ready()) {
    Minimiser minimiser(target, job_of(options), check::Outcome::clean);
    minimiser.record(replay.schedule);
  }
  Execution execution = take(target);
  execution.wanted = std::make_shared<const check::Schedule>(target.shared().wanted);
  if (threads == Threads::fibers || execution.result.threads == 0) return execution;
  // Where the points are in memory is known now, and how many threads there will be.
  Target with_threads(program, options.command, job_with_threads(options, execution),
                      {.show_output = options.show_output,
                       .capture_errors = true,
                       .exploration = options.exploration,
                       .wanted = execution.wanted.get()});
  with_threads.ready();  // it has ended then
  return take(with_threads);
}

void debug(const Program& program, const Options& options, const Execution& replayed) {
  become_debugger(program, options.command, job_with_threads(options, replayed),
                  {.exploration = options.exploration, .wanted = replayed.wanted.get()});
}

}  // namespace thrum::explore
