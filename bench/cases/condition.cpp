// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/condition.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>

#include "cases/cases.h"
#include "peers/floors.h"
#include "peers/foreign.h"
#include "peers/monitors.h"
#include "shapes.h"

namespace bench {
namespace {

// One leads: a new round, and all others answer it.
template <class Monitor>
class Rounds {
 public:
  explicit Rounds(std::size_t followers) : followers_(followers) {}

  void lead() {
    monitor_.lock();
    ++round_;
    answers_ = 0;
    monitor_.unlock_notify_all(begun_);
    monitor_.lock();
    monitor_.wait(answered_, [&] { return answers_ == followers_; });
    monitor_.unlock();
  }
  void follow(std::uint64_t round) {
    monitor_.lock();
    monitor_.wait(begun_, [&] { return round_ == round; });
    if (++answers_ == followers_) {
      monitor_.unlock_notify_one(answered_);
    } else {
      monitor_.unlock();
    }
  }

 private:
  Monitor monitor_;
  typename Monitor::Condition begun_{monitor_};
  typename Monitor::Condition answered_{monitor_};
  const std::size_t followers_;
  std::size_t answers_ = 0;
  std::uint64_t round_ = 0;
};

template <class Monitor>
Run broadcast(std::size_t followers) {
  return [=](std::uint64_t n) {
    const auto rounds = std::make_unique<Rounds<Monitor>>(followers);
    return time_threads(followers + 1, Cpus::free, [&](std::size_t index) {
      for (std::uint64_t round = 1; round <= n; ++round) {
        index == 0 ? rounds->lead() : rounds->follow(round);
      }
    });
  };
}

template <class Make>
Contenders conditions(Make make) {
  Contenders all {
    {"thrum::Condition", make.template operator()<ThrumMonitor>(), sizeof(thrum::Condition)},
    {"std::condition_variable", make.template operator()<StdMonitor>(),
     sizeof(std::condition_variable)}
  };
  add_monitor_peers(all, "", make);
  return all;
}

}  // namespace

void add_condition_cases(Cases& cases) {
  const auto add = [&](const std::string& name, const std::string& operation,
                       Contenders contenders) {
    cases.push_back(
        {.name = "condition/" + name, .operation = operation, .contenders = std::move(contenders)});
  };
  add("notify", "notify_all of nobody, lock and unlock", conditions([]<class M>() {
        return alone<MonitorEvent<M>>([](auto& event) { event.set(); });
      }));
  constexpr std::size_t kLimit = 16;
  for (const std::size_t each : {1u, 2u, 4u}) {
    Contenders all = conditions([&]<class M>() {
      return flow<MonitorQueue<M, std::uint64_t>, std::uint64_t>({each, each}, kLimit);
    });
    add_foreign(all, "rust", "Rust parking_lot",
                fmt::format("condition {} {} {}", each, each, kLimit));
    add(fmt::format("{0}:{0}/capacity={1}", each, kLimit), "item through a hand-made queue",
        std::move(all));
  }
  for (const std::size_t followers : {4u, 16u, 64u}) {
    add(fmt::format("broadcast/W={}", followers), "notify_all, and an answer of each",
        conditions([&]<class M>() { return broadcast<M>(followers); }));
  }
  for (const HandOff& how : kHandOffs) {
    Contenders all = conditions([&]<class M>() {
      return ping_pong<MonitorEvent<M>>(
          how.cpus, [](auto& event) { event.set(); },
          [](auto& event) {
            event.wait();
            event.clear();
          });
    });
    add_flag_floors(all, how.cpus);
    add_foreign(all, "rust", "Rust parking_lot", "condition-ping-pong", how.cpus);
    add(how.name, "round trip", std::move(all));
  }
}

}  // namespace bench
