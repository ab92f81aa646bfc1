// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <system_error>

#include "cli/tour/section.h"
#include "text/units.h"

namespace thrum::cli {

using namespace text;
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 5> kLives{"new", "ready", "running", "blocked",
                                                 "terminated"};

// What an onlooker saw of one state.
struct Sight {
  std::int64_t first_ns = 0;
  std::uint64_t looks = 0;
};

// Looks at a thread, and notes when it saw which state first.
class Onlooker {
 public:
  explicit Onlooker(const ThreadHandle& thread) : thread_(thread) {}

  ThreadState look() {
    const ThreadState state = thread_.state();
    Sight& sight = sights_[static_cast<std::size_t>(state.life)];
    if (sight.looks++ == 0) sight.first_ns = Deadline::now_ns() - born_ns_;
    return state;
  }
  bool saw(Life life) const { return of(life).looks != 0; }
  const Sight& of(Life life) const { return sights_[static_cast<std::size_t>(life)]; }
  const std::array<Sight, 5>& sights() const { return sights_; }

 private:
  ThreadHandle thread_;
  std::int64_t born_ns_ = Deadline::now_ns();
  std::array<Sight, 5> sights_{};
};

// The states with what leads from one to the next; below each, when it was seen first and how
// often.
std::vector<std::string> strip(const std::array<Sight, 5>& sights) {
  static constexpr std::array<std::string_view, 5> kWays{" ──start──→ ", " ⇄ ", " ──wait──→ ",
                                                         " ──resume──→ ", ""};
  std::string names;
  std::string times;
  std::string looks;
  for (std::size_t i = 0; i < sights.size(); ++i) {
    const bool seen = sights[i].looks != 0;
    const std::size_t width = columns_of(kLives[i]) + columns_of(kWays[i]);
    names += ink(seen ? kGreen : kYellow, kLives[i]) + ink(kDim, kWays[i]);
    times += fit(seen ? human_ns(static_cast<double>(sights[i].first_ns)) : "never", width);
    looks += fit(seen ? grouped(sights[i].looks) + "×" : "", width);
  }
  return {names, times, ink(kDim, looks)};
}

void spin_until(const std::atomic<bool>& over, const std::stop_token& stop) {
  while (!over.load(std::memory_order_relaxed) && !stop.stop_requested()) {
  }
}

}  // namespace

void lifecycle_section(Tour& tour) {
  Report& report = tour.report;

  // A rival keeps the processor of `worker` busy, so worker is ready half of the time. Who looks on
  // needs another processor: on the same one, worker never runs while somebody looks.
  Lock lock;
  std::atomic<bool> over{false};  // relaxed: it is only to be seen some time
  const int cpu = usable_cpu();
  std::vector<int> pin;
  if (cpu >= 0) pin.push_back(cpu);
  std::vector<int> elsewhere = usable_cpus();
  std::erase(elsewhere, cpu);
  const auto job = [&](const std::stop_token& stop) {
    spin_until(over, stop);
    Guard guard(lock);
  };

  report.code("const auto job = [&] { spin_until(over); Guard guard(lock); }");
  std::optional<Thread> worker;
  std::optional<Thread> rival;
  std::string not_pinned;
  for (;;) {
    rival.emplace(ThreadOptions{.name = "rival", .affinity = pin},
                  [&](const std::stop_token& stop) { spin_until(over, stop); });
    worker.emplace(ThreadOptions{.name = "worker", .affinity = pin}, job);
    try {
      rival->start();
      break;
    } catch (const std::system_error&) {
      if (pin.empty()) throw;
      pin.clear();
      not_pinned = "threads may not be pinned to a processor here";
    }
  }
  report.code(pin.empty() ? "Thread worker({.name = \"worker\"}, job)"
                          : "Thread worker({.name = \"worker\", .affinity = {cpu}}, job)");
  Onlooker onlooker(*worker);
  onlooker.look();
  std::unique_lock held(lock);
  worker->start();

  Thread watcher({.name = "watcher", .affinity = elsewhere}, [&] {
    (void)look_until(
        tour.stop,
        [&] {
          onlooker.look();
          return onlooker.saw(Life::ready) && onlooker.saw(Life::running);
        },
        elsewhere.empty() ? 1s : 5s);
    over.store(true, std::memory_order_relaxed);
  });
  watcher.start();
  watcher.join();

  std::string unseen;
  if (!onlooker.saw(Life::ready) || !onlooker.saw(Life::running)) {
    const bool ready = onlooker.saw(Life::ready);
    unseen = fmt::format("{} was not met in {} looks. {}", ready ? "running" : "ready",
                         onlooker.of(ready ? Life::ready : Life::running).looks, not_pinned);
  }
  report.happened(
      {.text = pin.empty() ? "new; then now ready, now running: seen by {watcher}"
                           : "new; then now ready, now running, because a rival shares CPU "
                             "{cpu_id} with it: seen by {watcher}",
       .facts = {{"watcher", watcher.name()}, {"cpu_id", pin.empty() ? Json() : Json(cpu)}},
       .holds = onlooker.saw(Life::new_),
       .unseen = std::move(unseen)});

  ThreadState blocked;
  (void)look_until(tour.stop, [&] {
    blocked = onlooker.look();
    return is_blocked(blocked, Waitable::lock);
  });
  const std::uint32_t holder = lock.holder();
  report.code("Guard guard(lock)  // in job");
  report.happened(
      {.text = "blocked on the lock for {worker_waits_ns}. The lock knows its holder: "
               "thread {lifecycle_holder_id}, that is {lifecycle_holder}",
       .facts = {{"worker_blocked", blocked.text()},
                 {"worker_waits_ns", blocked_for_ns(blocked)},
                 {"lifecycle_holder", name_of(holder)},
                 {"lifecycle_holder_id", holder}},
       .holds = is_blocked(blocked, Waitable::lock) && holder == threading::get_native_id()});

  THRUM_RUN(report, held.unlock(); worker->join());
  const ThreadState end = onlooker.look();
  rival->join();
  Facts facts{{"worker_after", end.text()}};
  for (std::size_t i = 0; i < kLives.size(); ++i) {
    const Sight& sight = onlooker.sights()[i];
    facts.emplace_back(fmt::format("{}_first_seen_ns", kLives[i]),
                       sight.looks == 0 ? Json() : Json(sight.first_ns));
    facts.emplace_back(fmt::format("{}_looks", kLives[i]), sight.looks);
  }
  report.happened({.text = "{worker_after}. Its life, with the time of the first look and the "
                           "number of looks at each state",
                   .facts = std::move(facts),
                   .holds = end.life == Life::terminated && end.end == End::returned,
                   .drawing = [&](std::size_t) { return strip(onlooker.sights()); }});

  const ExceptHook before = threading::set_excepthook([](const ExceptHookArgs&) {});
  const auto abort = [] { throw std::runtime_error("out of paper"); };
  THRUM_RUN(report, Thread printer({.name = "printer"}, abort));
  THRUM_RUN(report, printer.start(); printer.join());
  threading::set_excepthook(before);
  report.happened(
      {.text = "{printer_after}, that is abnormally aborted: {printer_threw}",
       .facts = {{"printer_after", printer.state().text()},
                 {"printer_threw", words_of(printer.exception())}},
       .holds = printer.state().life == Life::terminated && printer.state().end == End::threw});
}

}  // namespace thrum::cli
