// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/semaphore.h"

#include <fmt/format.h>
#include <semaphore.h>

#include <cerrno>
#include <cstddef>
#include <semaphore>

#include "cases/cases.h"
#include "peers/floors.h"
#include "shapes.h"

#ifdef BENCH_MOODYCAMEL
#include <concurrentqueue/blockingconcurrentqueue.h>
#endif

namespace bench {
namespace {

class PosixSemaphore {
 public:
  explicit PosixSemaphore(int permits) noexcept {
    (void)sem_init(&semaphore_, 0, static_cast<unsigned>(permits));
  }
  PosixSemaphore(const PosixSemaphore&) = delete;
  PosixSemaphore& operator=(const PosixSemaphore&) = delete;
  ~PosixSemaphore() { (void)sem_destroy(&semaphore_); }
  void acquire() noexcept {
    while (sem_wait(&semaphore_) != 0 && errno == EINTR) {
    }
  }
  void release() noexcept { (void)sem_post(&semaphore_); }

 private:
  sem_t semaphore_;
};

#ifdef BENCH_MOODYCAMEL
class MoodycamelSemaphore {
 public:
  explicit MoodycamelSemaphore(int permits) : semaphore_(permits) {}
  void acquire() { semaphore_.wait(); }
  void release() { semaphore_.signal(); }

 private:
  moodycamel::LightweightSemaphore semaphore_;
};
#endif

constexpr auto kAcquire = [](auto& semaphore) { semaphore.acquire(); };
constexpr auto kRelease = [](auto& semaphore) { semaphore.release(); };
constexpr auto kBoth = [](auto& semaphore) {
  semaphore.acquire();
  semaphore.release();
};

template <class Make>
Contenders semaphores(Make make) {
  Contenders all{by<thrum::Semaphore>("thrum::Semaphore", make),
                 by<std::counting_semaphore<>>("std::counting_semaphore", make),
                 by<PosixSemaphore>("sem_t", make)};
#ifdef BENCH_MOODYCAMEL
  all.push_back(by<MoodycamelSemaphore>("moodycamel::LightweightSemaphore", make));
#endif
  return all;
}

}  // namespace

void add_semaphore_cases(Cases& cases) {
  const auto add = [&](const std::string& name, const char* operation, Contenders contenders) {
    cases.push_back(
        {.name = "semaphore/" + name, .operation = operation, .contenders = std::move(contenders)});
  };
  Contenders uncontended = semaphores([]<class S>() { return alone<S>(kBoth, 1); });
  uncontended.push_back({"floor: compare-exchange + exchange", alone<BareLock>([](BareLock& lock) {
                           lock.lock();
                           lock.unlock();
                         })});
  add("uncontended", "acquire + release", std::move(uncontended));
  for (const std::size_t threads : {2u, 4u, 16u}) {
    const int permits = static_cast<int>(threads / 2);
    add(fmt::format("contended/T={}/permits={}", threads, permits),
        "acquire + release, 50 ns between", semaphores([&]<class S>() {
          return together<S>(
              threads,
              [](S& semaphore) {
                semaphore.acquire();
                work(50);
                semaphore.release();
              },
              permits);
        }));
  }
  for (const HandOff& how : kHandOffs) {
    Contenders all =
        semaphores([&]<class S>() { return ping_pong<S>(how.cpus, kRelease, kAcquire, 0); });
    add_flag_floors(all, how.cpus);
    add(how.name, "round trip", std::move(all));
  }
}

}  // namespace bench
