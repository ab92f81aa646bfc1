// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/lock.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <mutex>

#include "cases/cases.h"
#include "peers/floors.h"
#include "peers/foreign.h"
#include "peers/locks.h"
#include "shapes.h"

#ifdef BENCH_BOOST
#include <boost/thread/mutex.hpp>
#include <boost/thread/recursive_mutex.hpp>
#endif
#ifdef BENCH_TBB
#include <oneapi/tbb/mutex.h>
#include <oneapi/tbb/spin_mutex.h>
#endif

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kLockUnlock = [](auto& lock) {
  lock.lock();
  lock.unlock();
};
constexpr auto kScopedLock = [](auto& lock) { const std::scoped_lock guard(lock); };
constexpr auto kTryLockFor = [](auto& lock) {
  if (lock.try_lock_for(1s)) lock.unlock();
};
constexpr auto kTwice = [](auto& lock) {
  const std::scoped_lock outer(lock);
  kLockUnlock(lock);
};

constexpr char kFloor[] = "floor: compare-exchange + exchange";

// Every lock that blocks; `make` is a lambda <class Lock>() -> Run.
template <class Make>
Contenders blocking_locks(Make make) {
  Contenders locks{by<BareLock>(kFloor, make), by<thrum::Lock>("thrum::Lock", make),
                   by<std::mutex>("std::mutex", make), by<PthreadMutex>("pthread_mutex", make)};
#ifdef BENCH_ABSL
  locks.push_back(by<AbslMutex>("absl::Mutex", make));
#endif
#ifdef BENCH_NSYNC
  locks.push_back(by<NsyncMu>("nsync_mu", make));
#endif
#ifdef BENCH_TBB
  locks.push_back(by<tbb::mutex>("tbb::mutex", make));
#endif
#ifdef BENCH_BOOST
  locks.push_back(by<boost::mutex>("boost::mutex", make));
#endif
  return locks;
}

template <class Make>
Contenders all_locks(Make make) {
  Contenders locks = blocking_locks(make);
#ifdef BENCH_TBB
  locks.push_back(by<tbb::spin_mutex>("spin: tbb::spin_mutex", make));
  locks.push_back(by<TbbQueuingMutex>("spin: tbb::queuing_mutex", make));
#endif
  return locks;
}

void add_alone(Cases& cases) {
  Case uncontended{.name = "lock/uncontended",
                   .operation = "acquire + release",
                   .contenders = all_locks([]<class L>() { return alone<L>(kLockUnlock); }),
                   .promises = {{"floor", 1.15}, {"std", 1.0}}};
  add_foreign(uncontended.contenders, "rust", "Rust parking_lot", "lock 1 0 0");
  add_foreign(uncontended.contenders, "go", "Go sync.Mutex", "lock 1 0 0");
  cases.push_back(std::move(uncontended));
  cases.push_back({.name = "lock/scoped_lock",
                   .operation = "std::scoped_lock",
                   .contenders = blocking_locks([]<class L>() { return alone<L>(kScopedLock); })});

  constexpr auto kTimed = []<class L>() { return alone<L>(kTryLockFor); };
  Case timed{.name = "lock/timed",
             .operation = "uncontended acquire within 1 s + release",
             .contenders = {{kFloor, alone<BareLock>(kLockUnlock), sizeof(BareLock)},
                            by<thrum::Lock>("thrum::Lock", kTimed),
                            by<std::timed_mutex>("std::timed_mutex", kTimed)}};
#ifdef BENCH_BOOST
  timed.contenders.push_back({"boost::timed_mutex", alone<boost::timed_mutex>([](auto& lock) {
                                if (lock.try_lock_for(boost::chrono::seconds(1))) lock.unlock();
                              }),
                              sizeof(boost::timed_mutex)});
#endif
  add_foreign(timed.contenders, "rust", "Rust parking_lot", "timed-lock");
  timed.promises = {{"floor", 1.25}};  // no look at the clock
  cases.push_back(std::move(timed));
}

void add_recursive(Cases& cases) {
  const auto add = [&](const char* name, const char* operation, const char* foreign, auto floor,
                       auto make) {
    Case recursive{.name = name,
                   .operation = operation,
                   .contenders = {{kFloor, floor, sizeof(BareLock)},
                                  by<thrum::RLock>("thrum::RLock", make),
                                  by<std::recursive_mutex>("std::recursive_mutex", make)}};
#ifdef BENCH_BOOST
    recursive.contenders.push_back(by<boost::recursive_mutex>("boost::recursive_mutex", make));
#endif
    add_foreign(recursive.contenders, "rust", "Rust parking_lot", foreign);
    cases.push_back(std::move(recursive));
  };
  add("rlock/uncontended", "acquire + release", "rlock 1", alone<BareLock>(kLockUnlock),
      []<class L>() { return alone<L>(kLockUnlock); });
  add("rlock/depth=2", "two acquires + two releases", "rlock 2", alone<BareLock>(kLockUnlock),
      []<class L>() { return alone<L>(kTwice); });
}

void add_contended(Cases& cases, const std::string& name, Contention how, bool growth = false) {
  Case turns{.name = "lock/" + name,
             .operation = how.outside_ns == 0 ? fmt::format("turn, {} ns inside", how.inside_ns)
                                              : fmt::format("turn, {} ns inside, {} ns outside",
                                                            how.inside_ns, how.outside_ns),
             .contenders = all_locks([&]<class L>() { return contended<L>(how); }),
             .growth = growth};
  const std::string shape =
      fmt::format("lock {} {} {}", how.threads, how.inside_ns, how.outside_ns);
  add_foreign(turns.contenders, "rust", "Rust parking_lot", shape, how.cpus);
  add_foreign(turns.contenders, "go", "Go sync.Mutex", shape, how.cpus);
  cases.push_back(std::move(turns));
}

}  // namespace

void add_lock_cases(Cases& cases) {
  add_alone(cases);
  for (const std::size_t threads : {1u, 2u, 4u, 8u, 16u, 32u, 64u}) {
    for (const std::uint32_t inside_ns : {0u, 50u, 1000u}) {
      const bool growth = threads == 1 || threads > 16;
      if (growth && inside_ns != 50) continue;
      add_contended(cases, fmt::format("contended/T={}/cs={}", threads, inside_ns),
                    {.threads = threads, .inside_ns = inside_ns}, growth);
    }
  }
  add_contended(cases, "contended/T=8/cs=5000", {.threads = 8, .inside_ns = 5000}, true);
  for (const std::uint32_t inside_ns : {0u, 50u, 1000u}) {
    add_contended(cases, fmt::format("one-cpu/T=4/cs={}", inside_ns),
                  {.threads = 4, .inside_ns = inside_ns, .cpus = Cpus::one});
  }
  for (const std::uint32_t inside_ns : {50u, 1000u}) {
    add_contended(cases, fmt::format("four-per-cpu/cs={}", inside_ns),
                  {.threads = 4 * cpu_count(), .inside_ns = inside_ns, .outside_ns = inside_ns});
  }
  for (const std::uint32_t inside_ns : {50u, 1000u}) {
    const Contention how{.threads = 4 * cpu_count(), .inside_ns = inside_ns};
    cases.push_back(
        {.name = fmt::format("lock/fairness/cs={}", inside_ns),
         .operation = fmt::format("turn of {} threads, {} ns inside", how.threads, inside_ns),
         .contenders = blocking_locks([&]<class L>() { return fairness<L>(how); }),
         .longer = 22});  // rounds of a second
  }
  add_recursive(cases);
}

}  // namespace bench
