// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [set] set -> wait: what was done before the flag was set happens before what follows the wait.
#include "thrum/event.h"

#include <atomic>

#include "cases/cases.h"
#include "peers.h"
#include "shapes.h"

namespace bench {
namespace {

class AtomicEvent {
 public:
  void set() noexcept {
    set_.store(true, std::memory_order_release);  // [set]
    set_.notify_all();
  }
  void clear() noexcept { set_.store(false, std::memory_order_relaxed); }
  void wait() const noexcept { set_.wait(false, std::memory_order_acquire); }  // [set]

 private:
  std::atomic<bool> set_{false};
};

constexpr auto kSet = [](auto& event) { event.set(); };
constexpr auto kWait = [](auto& event) {
  event.wait();
  event.clear();
};

}  // namespace

void add_event_cases(Cases& cases) {
  const auto add = [&](const std::string& name, const char* operation, auto run) {
    cases.push_back({.name = "event/" + name,
                     .operation = operation,
                     .contenders = {{"thrum::Event", run.template operator()<thrum::Event>()},
                                    {"std::atomic wait", run.template operator()<AtomicEvent>()},
                                    {"std mutex + cv", run.template operator()<StdEvent>()}}});
  };
  add("uncontended", "set + wait + clear", []<class E>() {
    return alone<E>([](E& event) {
      kSet(event);
      kWait(event);
    });
  });
  add("ping-pong", "round trip", []<class E>() { return ping_pong<E>(Cpus::free, kSet, kWait); });
  add("ping-pong/one-cpu", "round trip",
      []<class E>() { return ping_pong<E>(Cpus::one, kSet, kWait); });
}

}  // namespace bench
