// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What blocked threads cost while nothing happens: the processor time and the sleeps of the waiting
// threads alone.
#include <pthread.h>
#include <sys/resource.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cases/cases.h"
#include "peers/monitors.h"
#include "thrum/condition.h"
#include "thrum/event.h"
#include "thrum/lock.h"
#include "thrum/queue.h"

namespace bench {
namespace {

using namespace std::chrono_literals;
constexpr std::size_t kWaiters = 8;
constexpr auto kLong = 1h;

using StdEvent = MonitorEvent<StdMonitor>;

template <class Lock>
struct Held : Lock {
  Held() { this->lock(); }
};

struct Flagged {
  thrum::Condition condition;
  bool set = false;
};

// What all threads but the caller have cost; of processor time, what those of the clocks have.
Cost others_so_far(const std::vector<clockid_t>& clocks) {
  Cost cost = Cost::so_far();
  cost.cpu_ns = 0;
  for (const clockid_t clock : clocks) {
    timespec used{};
    (void)clock_gettime(clock, &used);
    cost.cpu_ns += static_cast<double>(used.tv_sec) * 1e9 + static_cast<double>(used.tv_nsec);
  }
  rusage own{};
  (void)getrusage(RUSAGE_THREAD, &own);
  cost.sleeps -= static_cast<double>(own.ru_nvcsw);
  return cost;
}

// Threads do `wait(state)` until `end(state)`.
template <class State, class Wait, class End>
Run idle(Wait wait, End end) {
  return [=](std::uint64_t ms) {
    const auto state = std::make_unique<State>();
    std::vector<std::jthread> waiters;
    std::vector<clockid_t> clocks(kWaiters);
    const Cost before = others_so_far({});
    for (clockid_t& clock : clocks) {
      waiters.emplace_back([&] { wait(*state); });
      require(pthread_getcpuclockid(waiters.back().native_handle(), &clock) == 0, "cpu clock");
    }
    Cost begin = before;
    for (int tries = 0; tries < 100; ++tries) {  // until all sleep; who never does is seen to cost
      std::this_thread::sleep_for(3ms);
      const Cost now = others_so_far(clocks);
      if (now.sleeps - before.sleeps >= kWaiters && now.sleeps == begin.sleeps) break;
      begin = now;
    }
    begin = others_so_far(clocks);
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    Cost cost = others_so_far(clocks) - begin;
    end(*state);
    return cost;
  };
}

}  // namespace

void add_idle_cases(Cases& cases) {
  const auto add = [&](const char* name, Contender ours, Contender theirs) {
    cases.push_back({.name = name,
                     .operation = "8 threads wait for 1 ms",
                     .contenders = {std::move(ours), std::move(theirs)},
                     .promises = {{"", 1}},
                     .longer = 4});
  };
  const auto turn = [](auto& lock) { const std::scoped_lock guard(lock); };
  const auto timed_turn = [](auto& lock) { const std::unique_lock guard(lock, kLong); };
  const auto unlock = [](auto& lock) { lock.unlock(); };
  add("idle/lock", {"thrum::Lock", idle<Held<thrum::Lock>>(turn, unlock)},
      {"std::mutex", idle<Held<std::mutex>>(turn, unlock)});
  add("idle/timed/lock", {"thrum::Lock", idle<Held<thrum::Lock>>(timed_turn, unlock)},
      {"std::timed_mutex", idle<Held<std::timed_mutex>>(timed_turn, unlock)});

  const auto set = [](auto& event) { event.set(); };
  const Contender cv{"std mutex + cv", idle<StdEvent>([](StdEvent& e) { e.wait(); }, set)};
  const Contender timed_cv{"std mutex + cv",
                           idle<StdEvent>([](StdEvent& e) { (void)e.wait_for(kLong); }, set)};
  using thrum::Event;
  add("idle/event", {"thrum::Event", idle<Event>([](Event& e) { e.wait(); }, set)}, cv);
  add("idle/timed/event", {"thrum::Event", idle<Event>([](Event& e) { (void)e.wait(kLong); }, set)},
      timed_cv);

  const auto notify = [](Flagged& flagged) {
    const thrum::Guard guard(flagged.condition);
    flagged.set = true;
    flagged.condition.notify_all();
  };
  const auto wait = [](Flagged& flagged) {
    const thrum::Guard guard(flagged.condition);
    flagged.condition.wait_for([&] { return flagged.set; });
  };
  const auto timed_wait = [](Flagged& flagged) {
    const thrum::Guard guard(flagged.condition);
    (void)flagged.condition.wait_for([&] { return flagged.set; }, kLong);
  };
  add("idle/condition", {"thrum::Condition", idle<Flagged>(wait, notify)}, cv);
  add("idle/timed/condition", {"thrum::Condition", idle<Flagged>(timed_wait, notify)}, timed_cv);

  using Queue = thrum::Queue<int>;
  const auto put_all = [](Queue& queue) {
    for (std::size_t i = 0; i < kWaiters; ++i) queue.put(1);
  };
  add("idle/queue", {"thrum::Queue", idle<Queue>([](Queue& q) { (void)q.get(); }, put_all)}, cv);
  add("idle/timed/queue",
      {"thrum::Queue", idle<Queue>([](Queue& q) { (void)q.get(kLong); }, put_all)}, timed_cv);
}

}  // namespace bench
