// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [gate] the last thread to come up -> the others: the time was read before anybody goes on.
//   [done] each thread -> the last to finish: it reads the cost of all their work.
#include "harness.h"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iterator>
#include <thread>

namespace bench {
namespace {

double clock_ns(clockid_t clock) noexcept {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// Returns the value that a share of the sorted values does not exceed, interpolated.
double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], at - static_cast<double>(below));
}

// A chain of dependent steps, so that its length is time.
void step(std::uint64_t times) noexcept {
  std::uint64_t x = times;
  for (; times != 0; --times) asm volatile("" : "+r"(x = x * 3 + 1));
}

double steps_per_ns() noexcept {
  static const double value = [] {
    constexpr std::uint64_t kSteps = 200'000;
    double best = INFINITY;
    for (int i = 0; i < 20; ++i) {  // the fastest is the least disturbed
      const double begin = clock_ns(CLOCK_MONOTONIC);
      step(kSteps);
      best = std::min(best, clock_ns(CLOCK_MONOTONIC) - begin);
    }
    return static_cast<double>(kSteps) / best;
  }();
  return value;
}

}  // namespace

std::uint64_t calibrate(const Run& run, double target_ns) {
  double n = 1;
  // Somebody else's time slice must not pass for ours: a run that is long enough has to be so
  // thrice.
  const auto shortest = [&] {
    double took = INFINITY;
    for (int i = 0; i < 3 && took >= target_ns / 2; ++i) {
      took = std::min(took, run(static_cast<std::uint64_t>(n)).wall_ns);
    }
    return took;
  };
  double took = shortest();
  while (took < target_ns / 2 && n < 1e9) {
    n = std::floor(n * std::clamp(target_ns / std::max(took, 1.0), 2.0, 16.0));
    took = shortest();
  }
  return static_cast<std::uint64_t>(std::max(1.0, n * target_ns / took));
}

Cost Cost::so_far() noexcept {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return {clock_ns(CLOCK_MONOTONIC),
          clock_ns(CLOCK_PROCESS_CPUTIME_ID),
          static_cast<double>(usage.ru_nvcsw),
          {}};
}

Cost Cost::operator-(const Cost& earlier) const noexcept {
  return {wall_ns - earlier.wall_ns, cpu_ns - earlier.cpu_ns, sleeps - earlier.sleeps, also};
}

Spread Spread::of(std::vector<double> values) {
  std::ranges::sort(values);
  return {quantile(values, 0.5), quantile(values, 0.1), quantile(values, 0.9)};
}

Spread Measured::spread(Figure figure) const {
  std::vector<double> values;
  std::ranges::transform(rounds, std::back_inserter(values), figure);
  return Spread::of(std::move(values));
}

Spread Measured::spread(const std::string& name) const {
  std::vector<double> values;
  std::ranges::transform(rounds, std::back_inserter(values),
                         [&](const Cost& round) { return round.also.at(name); });
  return Spread::of(std::move(values));
}

Spread Result::ratio(std::size_t contender, std::size_t over) const {
  std::vector<double> ratios;
  std::ranges::transform(
      contenders[contender].rounds, contenders[over].rounds, std::back_inserter(ratios),
      [](const Cost& one, const Cost& other) { return one.wall_ns / other.wall_ns; });
  return Spread::of(std::move(ratios));
}

std::size_t Result::first(std::string_view kind) const noexcept {
  const auto found =
      std::ranges::find_if(what->contenders, [&](const Contender& c) { return c.is(kind); });
  return static_cast<std::size_t>(found - what->contenders.begin());
}

double Result::figure(const Promise& promise) const {
  const std::size_t ours = first("thrum");
  return promise.against.empty() ? contenders[ours].spread(&Cost::cpu_ns).median
                                 : ratio(ours, first(promise.against)).median;
}

Result measure(const Case& what, std::size_t rounds, double seconds,
               const std::function<void(std::size_t round)>& progress) {
  const std::size_t count = what.contenders.size();
  Result result{&what, std::vector<Measured>(count)};
  result.baseline = std::min(result.first("std"), count - 1);

  progress(0);
  const double round_ns = what.longer * seconds * 1e9 / static_cast<double>(rounds);
  for (std::size_t i = 0; i < count; ++i) {
    result.contenders[i].operations = calibrate(what.contenders[i].run, round_ns);
  }
  for (std::size_t round = 0; round < rounds; ++round) {
    progress(round + 1);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t turn = (round + i) % count;
      Measured& measured = result.contenders[turn];
      const Cost cost = what.contenders[turn].run(measured.operations);
      const auto n = static_cast<double>(measured.operations * what.batch);
      measured.rounds.push_back({cost.wall_ns / n, cost.cpu_ns / n, cost.sleeps / n, cost.also});
    }
  }
  return result;
}

std::size_t cpu_count() noexcept {
  cpu_set_t allowed;
  return sched_getaffinity(0, sizeof allowed, &allowed) == 0
             ? static_cast<std::size_t>(CPU_COUNT(&allowed))
             : std::thread::hardware_concurrency();
}

void run_on(Cpus cpus, std::size_t index) {
  if (cpus == Cpus::free) return;
  cpu_set_t allowed;
  require(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "sched_getaffinity");
  std::size_t cpu = CPU_SETSIZE;  // from the last: the first one serves most interrupts
  for (std::size_t left = cpus == Cpus::one ? 0 : index % cpu_count();; --left) {
    do --cpu;
    while (!CPU_ISSET(cpu, &allowed));
    if (left == 0) break;
  }
  CPU_ZERO(&allowed);
  CPU_SET(cpu, &allowed);
  require(sched_setaffinity(0, sizeof allowed, &allowed) == 0, "sched_setaffinity");
}

Cost time_threads(std::size_t threads, Cpus cpus,
                  const std::function<void(std::size_t index)>& body) {
  work(1);  // calibrated by now
  std::atomic<std::size_t> up{0};
  std::atomic<std::size_t> done{0};
  std::atomic<bool> open{false};
  Cost begin;
  Cost end;
  {
    std::vector<std::jthread> running;
    for (std::size_t i = 0; i < threads; ++i) {
      running.emplace_back([&, i] {
        run_on(cpus, i);
        if (up.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {  // [gate]
          begin = Cost::so_far();
          open.store(true, std::memory_order_release);  // [gate]
        }
        while (!open.load(std::memory_order_acquire)) sched_yield();  // [gate]
        body(i);
        if (done.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {  // [done]
          end = Cost::so_far();
        }
      });
    }
  }
  return end - begin;
}

void work(std::uint32_t ns) noexcept {
  if (ns != 0) step(static_cast<std::uint64_t>(ns * steps_per_ns()));
}

void require(bool done, std::string_view what) {
  if (done) return;
  std::fprintf(stderr, "thrum_bench: %.*s: wrong result\n", static_cast<int>(what.size()),
               what.data());
  std::_Exit(3);
}

}  // namespace bench
