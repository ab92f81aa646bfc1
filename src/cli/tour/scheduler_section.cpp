// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <system_error>
#include <thread>

#include "cli/tour/section.h"
#include "cli/tour/switch_cost.h"
#include "text/units.h"

namespace thrum::cli {

using namespace text;
namespace {

using namespace std::chrono_literals;

constexpr int kNaps = 50;

std::vector<std::string> table(const Switches& polite, const Switches& greedy) {
  const auto row = [](std::string_view name, const Switches& switches) {
    return fit(name, 8) + ink(kBold, fmt::format("{:>10} {:>12}", grouped(switches.voluntary),
                                                 grouped(switches.involuntary)));
  };
  return {ink(kDim, fmt::format("{:8}{:>10} {:>12}", "", "voluntary", "involuntary")),
          row("polite", polite), row("greedy", greedy)};
}

void show_switches(Tour& tour) {
  Report& report = tour.report;
  const auto own_switches = [] {
    return threading::current_thread().switches().value_or(Switches{});
  };
  Switches polite_switches;
  const auto nap = [&] {
    for (int i = 0; i < kNaps; ++i) std::this_thread::sleep_for(1ms);
    polite_switches = own_switches();
  };
  Switches greedy_switches;
  const auto hurry = [&tour, &own_switches](Switches& mine) {
    const Deadline over = Deadline(60ms).or_stop(tour.stop);
    while (!over.expired()) {
    }
    mine = own_switches();
  };
  report.code("Thread polite([&] { for (50 times) std::this_thread::sleep_for(1ms); })");
  report.code("Thread greedy([&] { while (!over) {} }), rival(the same)  // on one CPU");
  Thread polite({.name = "polite"}, nap);
  polite.start();
  polite.join();

  std::vector<int> pin;
  if (const int cpu = usable_cpu(); cpu >= 0) pin.push_back(cpu);
  std::string unseen;
  try {
    Switches rival_switches;
    Thread greedy({.name = "greedy", .affinity = pin}, hurry, std::ref(greedy_switches));
    Thread rival({.name = "rival", .affinity = pin}, hurry, std::ref(rival_switches));
    greedy.start();
    rival.start();
    greedy.join();
    rival.join();
    if (greedy_switches.involuntary == 0) unseen = "greedy was never made to wait this time";
  } catch (const std::system_error&) {
    unseen = "threads may not be bound to a processor here";
  }
  report.happened(
      {.text =
           "polite gives its CPU up to wait, greedy has it taken away. How often each was switched",
       .facts = {{"polite_voluntary", polite_switches.voluntary},
                 {"polite_involuntary", polite_switches.involuntary},
                 {"greedy_voluntary", greedy_switches.voluntary},
                 {"greedy_involuntary", greedy_switches.involuntary}},
       .holds = tour.stop.stop_requested() || polite_switches.voluntary >= kNaps,
       .unseen = std::move(unseen),
       .drawing = [&](std::size_t) { return table(polite_switches, greedy_switches); }});
}

void show_costs(Tour& tour) {
  Report& report = tour.report;
  report.status("measuring what a switch costs ...");
  const SwitchCosts costs = measure_switch_costs(tour.stop);
  report.status("");
  report.code("two on one CPU play ball: write(there, &ball, 1); read(back, &ball, 1)");
  if (!costs.failed.empty()) {
    report.happened({.text = "no figures", .unseen = costs.failed});
    return;
  }
  const double calls = costs.calls.median_ns;
  const double thread = costs.thread.median_ns - calls;
  const double process = costs.process.median_ns - calls;
  std::string unseen;
  if (costs.cpu < 0) {
    unseen = "threads may not be bound to a processor here: this is the way from one to another";
  } else if (std::min(costs.thread_switches_per_throw, costs.process_switches_per_throw) < 0.9) {
    unseen = "the kernel did not switch at each throw";
  } else if (process <= thread) {
    unseen = "the process switch came out no dearer this time: other load on the machine?";
  }
  report.happened(
      {.text = "a thread switch takes {thread_switch_ns}, a process switch {process_switch_ns}: "
               "{process_to_thread} times as much. A write and a read alone: {calls_ns}",
       .facts = {{"thread_switch_ns", thread},
                 {"thread_throw_p10_ns", costs.thread.p10_ns},
                 {"thread_throw_ns", costs.thread.median_ns},
                 {"thread_throw_p90_ns", costs.thread.p90_ns},
                 {"process_switch_ns", process},
                 {"process_throw_p10_ns", costs.process.p10_ns},
                 {"process_throw_ns", costs.process.median_ns},
                 {"process_throw_p90_ns", costs.process.p90_ns},
                 {"process_to_thread", process / thread},
                 {"calls_ns", calls},
                 {"switches_per_throw", costs.thread_switches_per_throw},
                 {"rounds", costs.rounds},
                 {"throws", costs.throws},
                 {"switch_cpu", costs.cpu < 0 ? Json() : Json(costs.cpu)}},
       .unseen = std::move(unseen),
       .drawing = [&](std::size_t columns) {
         const double most = std::max(thread, process);
         const std::size_t width = std::min<std::size_t>(columns - 44, 40);
         const auto line = [&](std::string_view name, double ns, const Spread& spread) {
           return fit(name, 16) + ink(kCyan, fit(bar(ns / most, width), width + 1)) +
                  fmt::format("{:>7}", human_ns(ns)) +
                  ink(kDim, fmt::format("  ({} to {})", human_ns(spread.p10_ns - calls),
                                        human_ns(spread.p90_ns - calls)));
         };
         return std::vector<std::string>{
             line("thread switch", thread, costs.thread),
             line("process switch", process, costs.process),
             ink(kDim,
                 fmt::format("medians of {} rounds of {} throws, taken in turns; in brackets "
                             "p10 to p90",
                             costs.rounds, grouped(static_cast<std::uint64_t>(costs.throws))))};
       }});
}

}  // namespace

void scheduler_section(Tour& tour) {
  show_switches(tour);
  show_costs(tour);
}

}  // namespace thrum::cli
