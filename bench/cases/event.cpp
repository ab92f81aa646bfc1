// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [set] set -> wait: what was done before the flag was set happens before what follows the wait.
#include "thrum/event.h"

#include <fmt/format.h>

#include <atomic>

#include "cases/cases.h"
#include "peers/floors.h"
#include "peers/monitors.h"
#include "shapes.h"

#ifdef BENCH_ABSL
#include <absl/synchronization/notification.h>
#endif

namespace bench {
namespace {

class AtomicEvent {
 public:
  void set() noexcept {
    set_.store(true, std::memory_order_release);  // [set]
    set_.notify_all();
  }
  void clear() noexcept { set_.store(false, std::memory_order_relaxed); }
  bool is_set() const noexcept { return set_.load(std::memory_order_acquire); }  // [set]
  void wait() const noexcept { set_.wait(false, std::memory_order_acquire); }    // [set]

 private:
  std::atomic<bool> set_{false};
};

// Those that can be set once only.
#ifdef BENCH_ABSL
class AbslNotification {
 public:
  void set() { notification_.Notify(); }
  bool is_set() const { return notification_.HasBeenNotified(); }
  void wait() const { notification_.WaitForNotification(); }

 private:
  absl::Notification notification_;
};
#endif
#ifdef BENCH_NSYNC
class NsyncNote {
 public:
  NsyncNote() : note_(nsync::nsync_note_new(nullptr, nsync::nsync_time_no_deadline)) {}
  NsyncNote(const NsyncNote&) = delete;
  NsyncNote& operator=(const NsyncNote&) = delete;
  ~NsyncNote() { nsync::nsync_note_free(note_); }
  void set() { nsync::nsync_note_notify(note_); }
  bool is_set() const { return nsync::nsync_note_is_notified(note_) != 0; }
  void wait() const { (void)nsync::nsync_note_wait(note_, nsync::nsync_time_no_deadline); }

 private:
  nsync::nsync_note note_;
};
#endif

constexpr auto kSet = [](auto& event) { event.set(); };
constexpr auto kWait = [](auto& event) {
  event.wait();
  event.clear();
};

template <class Make>
Contenders events(Make make) {
  Contenders all{by<thrum::Event>("thrum::Event", make), by<AtomicEvent>("std::atomic wait", make),
                 by<MonitorEvent<StdMonitor>>("std mutex + cv", make)};
  add_monitor_peers(
      all, "", [&]<class Monitor>() { return make.template operator()<MonitorEvent<Monitor>>(); });
  return all;
}

template <class Make>
void add_notifications([[maybe_unused]] Contenders& to, [[maybe_unused]] Make make) {
#ifdef BENCH_ABSL
  to.push_back(by<AbslNotification>("absl::Notification", make));
#endif
#ifdef BENCH_NSYNC
  to.push_back(by<NsyncNote>("nsync_note", make));
#endif
}

}  // namespace

void add_event_cases(Cases& cases) {
  const auto add = [&](const std::string& name, const char* operation, Contenders contenders,
                       double longer = 1, bool growth = false) {
    cases.push_back({.name = "event/" + name,
                     .operation = operation,
                     .contenders = std::move(contenders),
                     .longer = longer,
                     .growth = growth});
  };
  constexpr auto kIsSet = []<class E>() {
    return alone<E>([](E& event) {
      bool set = event.is_set();
      keep(set);
    });
  };
  Contenders is_set = events(kIsSet);
  add_notifications(is_set, kIsSet);
  is_set.push_back(by<SpinFlag>("floor: load", kIsSet));
  add("is_set", "is_set", std::move(is_set));
  add("uncontended", "set + wait + clear", events([]<class E>() {
        return alone<E>([](E& event) {
          kSet(event);
          kWait(event);
        });
      }));
  for (const HandOff& how : kHandOffs) {
    Contenders all = events([&]<class E>() { return ping_pong<E>(how.cpus, kSet, kWait); });
    add_flag_floors(all, how.cpus);
    add(how.name, "round trip", std::move(all));
  }
  for (const std::size_t waiters : {1u, 8u, 64u, 256u, 1000u}) {
    const auto make = [&]<class E>() { return wake<E>(waiters); };
    Contenders all = events(make);
    add_notifications(all, make);
    all.push_back(by<FutexFlag>("floor: futex", make));
    add(fmt::format("wake/W={}", waiters), "set, until all have woken", std::move(all), 0.1,
        waiters > 64);
  }
}

}  // namespace bench
