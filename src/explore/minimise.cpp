// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "explore/minimise.h"

#include <algorithm>
#include <utility>

namespace thrum::explore {
namespace {

constexpr std::uint64_t kMostSearched = 20'000;
constexpr std::uint64_t kMostSearchedInForks = 1000;

unsigned preemptions(const check::Shared& shared) {
  const check::Event* const end = shared.event + std::min(shared.result.steps, check::kEvents);
  return static_cast<unsigned>(std::count_if(shared.event, end, [](const check::Event& event) {
    return (event.flags & check::kPreempts) != 0;
  }));
}

}  // namespace

Minimiser::Minimiser(Target& target, const check::Job& job, check::Outcome wanted,
                     MinimiserLimits limits)
    : target_(target), job_(job), fast_(job.fast), wanted_(wanted), limits_(std::move(limits)) {
  job_.strategy = check::StrategyId::replay;
  job_.fast = false;
  job_.first = 0;
  job_.stride = job_.count = 1;
}

bool Minimiser::goes_on() const {
  return runs_ < limits_.runs && limits_.now() - began_ < limits_.time;
}

bool Minimiser::shows_it(const Schedule& schedule) {
  ++runs_;
  if (!want(target_.shared(), schedule)) return false;
  return target_.run(job_).outcome == wanted_;
}

void Minimiser::record(const Schedule& schedule) {
  check::Job job = job_;
  job.record = true;
  target_.take_errors();
  if (want(target_.shared(), schedule)) target_.run(job);
}

template <class Item>
void Minimiser::reduce(Schedule& schedule, std::vector<Item> Schedule::* items) {
  // Leaves out pieces, ever smaller ones, as long as it helps.
  std::size_t piece = std::max<std::size_t>(1, ((schedule.*items).size() + 1) / 2);
  for (;;) {
    bool helped = false;
    for (std::size_t at = 0; at < (schedule.*items).size() && goes_on();) {
      Schedule smaller = schedule;
      auto& list = smaller.*items;
      const std::size_t end = std::min(at + piece, list.size());
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(at),
                 list.begin() + static_cast<std::ptrdiff_t>(end));
      if (shows_it(smaller)) {
        // What really happened may be less than what was wanted.
        schedule = happened(target_.shared());
        schedule.points = smaller.points;
        helped = true;
      } else {
        at = end;
      }
    }
    if (piece == 1 && !helped) return;
    if (!goes_on()) return;
    if (piece > 1) piece = (piece + 1) / 2;
  }
}

// A plain point that is none makes fewer steps of its thread: the schedule without it is counted
// anew from the events of the one with it.
void Minimiser::drop_points(Schedule& schedule) {
  for (std::size_t i = schedule.points.size(); i > 0 && goes_on(); --i) {
    if (!shows_it(schedule)) return;
    const check::Shared& shared = target_.shared();
    Schedule smaller = schedule;
    smaller.points.erase(smaller.points.begin() + static_cast<std::ptrdiff_t>(i - 1));
    const std::uint64_t dropped = shared.happened.point[i - 1];
    std::vector<std::uint32_t> left(check::kThreads);  // steps with and without the point
    std::vector<std::uint32_t> all(check::kThreads);
    std::vector<std::vector<std::uint32_t>> renamed(check::kThreads, {0});
    const std::uint32_t events = std::min(shared.result.steps, check::kEvents);
    for (std::uint32_t e = 0; e < events; ++e) {
      const check::Event& event = shared.event[e];
      const bool is_dropped =
          event.pc == dropped && (event.op == check::Op::read || event.op == check::Op::write);
      ++all[event.thread];
      if (!is_dropped) ++left[event.thread];
      renamed[event.thread].push_back(left[event.thread]);
    }
    for (check::Switch& each : smaller.switches) {
      const auto& steps = renamed[each.thread];
      if (each.step < steps.size()) each.step = steps[each.step];
    }
    if (shows_it(smaller)) {
      schedule = happened(target_.shared());
      schedule.points = smaller.points;
    }
  }
}

// All schedules with no preemption, then with one, and so on: the first that shows it has the
// least. With as many as now, it may have fewer switches.
void Minimiser::find_fewer_preemptions(Schedule& schedule) {
  check::Shared& shared = target_.shared();
  if (wanted_ == check::Outcome::hang || !shows_it(schedule)) return;
  const unsigned now = preemptions(shared);
  for (unsigned most = 0; most <= now && goes_on(); ++most) {
    check::Job job = job_;
    job.strategy = check::StrategyId::dfs;
    job.most_preemptions = static_cast<std::uint8_t>(most);
    job.fast = fast_ && !shared.refused_fast;
    job.count = job.fast ? kMostSearched : kMostSearchedInForks;
    shared.depth = 0;
    shared.exhausted = false;
    shared.points = shared.wanted.points;  // of the schedule that it was just shown
    std::copy_n(shared.wanted.point, shared.points, shared.point);
    if (target_.run(job).outcome != wanted_) continue;
    Schedule found = happened(shared);
    found.points = schedule.points;
    if (!shows_it(found)) continue;
    reduce_all(found);
    if (!shows_it(found)) continue;
    const unsigned needed = preemptions(shared);
    if (needed > now || (needed == now && found.switches.size() >= schedule.switches.size())) {
      continue;
    }
    schedule = std::move(found);
    return;
  }
}

void Minimiser::reduce_all(Schedule& schedule) {
  reduce(schedule, &Schedule::switches);
  reduce(schedule, &Schedule::choices);
  drop_points(schedule);
  reduce(schedule, &Schedule::switches);
}

Schedule Minimiser::minimise(Schedule schedule) {
  reduce_all(schedule);
  find_fewer_preemptions(schedule);
  return schedule;
}

}  // namespace thrum::explore
