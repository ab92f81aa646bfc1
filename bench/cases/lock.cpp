// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [bare] unlock -> lock: as in any lock; orders nothing here but what is measured.
#include "thrum/lock.h"

#include <fmt/format.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

#include "cases/cases.h"
#include "shapes.h"

namespace bench {
namespace {

using namespace std::chrono_literals;

// The least that excludes others: a compare-exchange and an exchange.
class BareLock {
 public:
  void lock() noexcept {
    std::uint32_t free = 0;
    while (!word_.compare_exchange_strong(free, 1, std::memory_order_acquire,  // [bare]
                                          std::memory_order_relaxed)) {
      free = 0;
    }
  }
  void unlock() noexcept { word_.exchange(0, std::memory_order_release); }  // [bare]

 private:
  std::atomic<std::uint32_t> word_{0};
};

class PthreadMutex {
 public:
  void lock() noexcept { (void)pthread_mutex_lock(&mutex_); }
  void unlock() noexcept { (void)pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

constexpr auto kAcquireRelease = [](auto& lock) {
  lock.acquire();
  lock.release();
};
constexpr auto kLockUnlock = [](auto& lock) {
  lock.lock();
  lock.unlock();
};
constexpr auto kScopedLock = [](auto& lock) { const std::scoped_lock guard(lock); };
constexpr auto kTryLockFor = [](auto& lock) {
  if (lock.try_lock_for(1s)) lock.unlock();
};

void add_contended(Cases& cases, const std::string& name, Contention how) {
  cases.push_back({.name = "lock/" + name,
                   .operation = how.outside_ns == 0
                                    ? fmt::format("turn, {} ns inside", how.inside_ns)
                                    : fmt::format("turn, {} ns inside, {} ns outside",
                                                  how.inside_ns, how.outside_ns),
                   .contenders = {{"thrum::Lock", contended<thrum::Lock>(how)},
                                  {"std::mutex", contended<std::mutex>(how)}}});
}

}  // namespace

void add_lock_cases(Cases& cases) {
  cases.push_back(
      {.name = "lock/uncontended",
       .operation = "acquire + release",
       .contenders = {{"floor: compare-exchange + exchange", alone<BareLock>(kLockUnlock)},
                      {"thrum::Lock", alone<thrum::Lock>(kAcquireRelease)},
                      {"std::mutex", alone<std::mutex>(kLockUnlock)},
                      {"pthread_mutex", alone<PthreadMutex>(kLockUnlock)}},
       .promises = {{"floor", 1.15}, {"std", 1.0}}});
  cases.push_back(
      {.name = "lock/scoped_lock",
       .operation = "std::scoped_lock",
       .contenders = {{"floor: compare-exchange + exchange", alone<BareLock>(kScopedLock)},
                      {"thrum::Lock", alone<thrum::Lock>(kScopedLock)},
                      {"std::mutex", alone<std::mutex>(kScopedLock)}}});
  cases.push_back({.name = "lock/timed",
                   .operation = "uncontended acquire within 1 s + release",
                   .contenders = {{"thrum::Lock", alone<thrum::Lock>([](thrum::Lock& lock) {
                                     if (lock.acquire(1s)) lock.release();
                                   })},
                                  {"std::timed_mutex", alone<std::timed_mutex>(kTryLockFor)}}});
  cases.push_back(
      {.name = "rlock/uncontended",
       .operation = "acquire + release",
       .contenders = {{"thrum::RLock", alone<thrum::RLock>(kAcquireRelease)},
                      {"std::recursive_mutex", alone<std::recursive_mutex>(kLockUnlock)}}});
  cases.push_back({.name = "rlock/depth=2",
                   .operation = "two acquires + two releases",
                   .contenders = {{"thrum::RLock", alone<thrum::RLock>([](thrum::RLock& lock) {
                                     const std::scoped_lock outer(lock);
                                     kAcquireRelease(lock);
                                   })},
                                  {"std::recursive_mutex",
                                   alone<std::recursive_mutex>([](std::recursive_mutex& lock) {
                                     const std::scoped_lock outer(lock);
                                     kLockUnlock(lock);
                                   })}}});

  for (const std::size_t threads : {2u, 4u, 8u}) {
    for (const std::uint32_t inside_ns : {0u, 50u, 1000u}) {
      add_contended(cases, fmt::format("contended/T={}/cs={}", threads, inside_ns),
                    {.threads = threads, .inside_ns = inside_ns});
    }
  }
  constexpr std::uint32_t kInsides[] = {50, 1000};
  for (const std::uint32_t inside_ns : kInsides) {
    add_contended(cases, fmt::format("one-cpu/T=4/cs={}", inside_ns),
                  {.threads = 4, .inside_ns = inside_ns, .cpus = Cpus::one});
  }
  for (const std::uint32_t inside_ns : kInsides) {
    add_contended(cases, fmt::format("four-per-cpu/cs={}", inside_ns),
                  {.threads = 4 * cpu_count(), .inside_ns = inside_ns, .outside_ns = inside_ns});
  }
}

}  // namespace bench
