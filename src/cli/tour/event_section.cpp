// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <atomic>
#include <chrono>
#include <deque>

#include "cli/tour/section.h"

namespace thrum::cli {

using namespace std::chrono_literals;

void event_section(Tour& tour) {
  Report& report = tour.report;
  constexpr int kRunners = 3;

  THRUM_RUN(report, Event start);
  std::atomic<int> off{0};  // relaxed: read after the join
  std::deque<Thread> runners;
  for (int i = 1; i <= kRunners; ++i) {
    runners.emplace_back(ThreadOptions{.name = "runner-" + std::to_string(i)}, [&] {
      start.wait();
      off.fetch_add(1, std::memory_order_relaxed);
    });
  }
  report.code("three runners: { start.wait(); run(); }");
  int waiting = 0;
  for (Thread& runner : runners) {
    runner.start();
    const ThreadState state = look_until_blocked(tour.stop, runner, Waitable::event);
    waiting += is_blocked(state, Waitable::event) ? 1 : 0;
  }
  const int early = off.load(std::memory_order_relaxed);
  report.happened(
      {.text = "is it set? {set_before}. {waiting} of them are seen blocked on it",
       .facts = {{"set_before", start.is_set()}, {"waiting", waiting}, {"ran_before", early}},
       .holds = waiting == kRunners && early == 0 && !start.is_set()});

  THRUM_RUN(report, start.set());
  for (Thread& runner : runners) runner.join();
  const int ran = off.load(std::memory_order_relaxed);
  report.happened({.text = "one call lets all {ran} go. Is it set? {set_after}",
                   .facts = {{"ran", ran}, {"set_after", start.is_set()}},
                   .holds = ran == kRunners && start.is_set()});

  const std::int64_t begin_ns = Deadline::now_ns();
  THRUM_RUN(report, start.wait());
  const std::int64_t set_ns = Deadline::now_ns() - begin_ns;
  report.happened({.text = "it is remembered: who comes later passes at once, here in {pass_ns}",
                   .facts = {{"pass_ns", set_ns}}});

  const std::int64_t again_ns = Deadline::now_ns();
  THRUM_RUN(report, start.clear(); const bool came = start.wait(10ms));
  const std::int64_t waited_ns = Deadline::now_ns() - again_ns;
  report.happened({.text = "cleared, it makes wait again: {came}, after {waited_ns}",
                   .facts = {{"came", came}, {"waited_ns", waited_ns}},
                   .holds = !came && waited_ns >= 10'000'000});
}

}  // namespace thrum::cli
