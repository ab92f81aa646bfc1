// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <chrono>

#include "cli/tour/section.h"

namespace thrum::cli {

using namespace std::chrono_literals;

void semaphore_section(Tour& tour) {
  Report& report = tour.report;

  THRUM_RUN(report, Semaphore one; one.acquire());
  report.happened({.text = "one permit unless said otherwise; now {after_acquire}",
                   .facts = {{"after_acquire", one.value()}},
                   .holds = one.value() == 0});

  bool passed = false;
  Thread late({.name = "late"}, [&] {
    one.acquire();
    passed = true;
  });
  report.code("Thread late([&] { one.acquire(); passed = true; })");
  late.start();
  const ThreadState seen = look_until_blocked(tour.stop, late, Waitable::semaphore);
  report.happened(
      {.text = "there is none left: late has been blocked on the semaphore for {late_waits_ns}",
       .facts = {{"late_state", seen.text()}, {"late_waits_ns", blocked_for_ns(seen)}},
       .holds = is_blocked(seen, Waitable::semaphore)});
  THRUM_RUN(report, one.release(); late.join());
  report.happened({.text = "a release lets it go on. Did it pass? {late_passed}",
                   .facts = {{"late_passed", passed}},
                   .holds = passed});

  THRUM_RUN(report, Semaphore pool(2));
  // Relaxed: counters that the join orders.
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  const auto visit = [&] {
    Guard guard(pool);
    const int now = inside.fetch_add(1, std::memory_order_relaxed) + 1;
    int before = most.load(std::memory_order_relaxed);
    while (before < now && !most.compare_exchange_weak(before, now, std::memory_order_relaxed,
                                                       std::memory_order_relaxed)) {
    }
    Event pause;
    (void)pause.wait(2ms);
    inside.fetch_sub(1, std::memory_order_relaxed);
  };
  Group visitors;
  for (int i = 0; i < 6; ++i) visitors.start(visit);
  visitors.join();
  report.code("six threads: { Guard guard(pool); visit(); }");
  const int met = most.load(std::memory_order_relaxed);
  report.happened({.text = "never more than {most_inside} inside at once; at the end there are "
                           "{pool_after} permits again",
                   .facts = {{"most_inside", met}, {"pool_after", pool.value()}},
                   .holds = met >= 1 && met <= 2 && pool.value() == 2});
}

}  // namespace thrum::cli
