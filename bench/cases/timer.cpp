// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/timer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <semaphore>
#include <stop_token>
#include <thread>
#include <vector>

#include "cases/cases.h"
#include "peers/foreign.h"
#include "shapes.h"

namespace bench {
namespace {

using namespace std::chrono_literals;

// What one writes with the standard library: a thread that sleeps on a condition variable.
class StdTimer {
 public:
  template <class Target>
  StdTimer(std::chrono::nanoseconds interval, Target target)
      : interval_(interval), target_(target) {}
  void start() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      std::mutex mutex;
      std::unique_lock guard(mutex);
      std::condition_variable_any().wait_for(guard, stop, interval_, [] { return false; });
      if (!stop.stop_requested()) target_();
    });
  }
  void cancel() { thread_.request_stop(); }

 private:
  std::chrono::nanoseconds interval_;
  std::function<void()> target_;
  std::jthread thread_;
};

struct Nothing {};

template <class Timer>
Run start_cancel(std::size_t pending) {
  return [=](std::uint64_t n) {
    std::vector<std::unique_ptr<Timer>> others;
    for (std::size_t i = 0; i < pending; ++i) {
      others.push_back(std::make_unique<Timer>(1h + std::chrono::microseconds(i), [] {}));
      others.back()->start();
    }
    const Cost begin = Cost::so_far();
    for (; n != 0; --n) {
      Timer timer(1h, [] {});
      timer.start();
      timer.cancel();
    }
    Cost cost = Cost::so_far() - begin;
    for (const auto& other : others) other->cancel();
    return cost;
  };
}

// How much later than asked for a timer fires.
template <class Timer>
Run lateness() {
  return [](std::uint64_t n) {
    constexpr auto kInterval = 1ms;
    const Cost begin = Cost::so_far();
    double late_ns = 0;
    double latest_ns = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
      std::binary_semaphore fired{0};
      std::uint64_t at = 0;
      const std::uint64_t due =
          now_ns() + std::uint64_t{std::chrono::nanoseconds(kInterval).count()};
      Timer timer(kInterval, [&] {
        at = now_ns();
        fired.release();
      });
      timer.start();
      fired.acquire();
      const double late = static_cast<double>(at) - static_cast<double>(due);
      late_ns += late;
      latest_ns = std::max(latest_ns, late);
    }
    Cost cost = Cost::so_far() - begin;
    cost.wall_ns = late_ns;
    cost.also["latest ns"] = latest_ns;
    return cost;
  };
}

// The same of a thousand that are pending together, one due each 100 us.
template <class Timer>
Run lateness_of_many() {
  return [](std::uint64_t n) {
    constexpr std::size_t kMany = 1000;
    const Cost begin = Cost::so_far();
    double late_ns = 0;
    double latest_ns = 0;
    for (; n != 0; --n) {
      std::counting_semaphore<kMany> fired{0};
      std::vector<std::uint64_t> due(kMany), at(kMany);
      std::vector<std::unique_ptr<Timer>> timers;
      for (std::size_t i = 0; i < kMany; ++i) {
        const auto interval = 20ms + 100us * (i * 7919 % kMany);
        due[i] = now_ns() + static_cast<std::uint64_t>(std::chrono::nanoseconds(interval).count());
        timers.push_back(std::make_unique<Timer>(interval, [&at = at[i], &fired] {
          at = now_ns();
          fired.release();
        }));
        timers.back()->start();
      }
      for (std::size_t i = 0; i < kMany; ++i) fired.acquire();
      for (std::size_t i = 0; i < kMany; ++i) {
        const double late = static_cast<double>(at[i]) - static_cast<double>(due[i]);
        late_ns += late / kMany;
        latest_ns = std::max(latest_ns, late);
      }
    }
    Cost cost = Cost::so_far() - begin;
    cost.wall_ns = late_ns;
    cost.also["latest ns"] = latest_ns;
    return cost;
  };
}

}  // namespace

void add_timer_cases(Cases& cases) {
  for (const std::size_t pending : {0u, 1000u, 1'000'000u}) {
    Case starts{.name = fmt::format("timer/start-cancel/pending={}", pending),
                .operation = "start + cancel",
                .contenders = {
                    {"thrum::Timer", start_cancel<thrum::Timer>(pending), sizeof(thrum::Timer)}}};
    if (pending <= 1000) {  // threads of their own do not go to a million
      starts.contenders.push_back({"std::jthread + cv", start_cancel<StdTimer>(pending)});
    }
    add_foreign(starts.contenders, "go", "Go time.AfterFunc", fmt::format("timer {}", pending));
    cases.push_back(std::move(starts));
  }
  cases.push_back({.name = "timer/lateness",
                   .operation = "after 1 ms, how late",
                   .contenders = {{"thrum::Timer", lateness<thrum::Timer>()},
                                  {"std::jthread + cv", lateness<StdTimer>()}},
                   .longer = 0.1});
  cases.push_back({.name = "timer/lateness/1000",
                   .operation = "1000 in 100 ms, how late each",
                   .contenders = {{"thrum::Timer", lateness_of_many<thrum::Timer>()},
                                  {"std::jthread + cv", lateness_of_many<StdTimer>()}},
                   .longer = 0.1});
}

}  // namespace bench
