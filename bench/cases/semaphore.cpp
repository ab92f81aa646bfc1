// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/semaphore.h"

#include <semaphore.h>

#include <cerrno>
#include <cstddef>
#include <semaphore>

#include "cases/cases.h"
#include "shapes.h"

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

constexpr auto kAcquire = [](auto& semaphore) { semaphore.acquire(); };
constexpr auto kRelease = [](auto& semaphore) { semaphore.release(); };
constexpr auto kBoth = [](auto& semaphore) {
  semaphore.acquire();
  semaphore.release();
};

}  // namespace

void add_semaphore_cases(Cases& cases) {
  using Std = std::counting_semaphore<>;
  const auto add = [&](const std::string& name, const char* operation, auto run) {
    cases.push_back(
        {.name = "semaphore/" + name,
         .operation = operation,
         .contenders = {{"thrum::Semaphore", run.template operator()<thrum::Semaphore>()},
                        {"std::counting_semaphore", run.template operator()<Std>()},
                        {"sem_t", run.template operator()<PosixSemaphore>()}}});
  };
  add("uncontended", "acquire + release", []<class S>() { return alone<S>(kBoth, 1); });
  add("contended/T=4/permits=2", "acquire + release",
      []<class S>() { return together<S>(4, kBoth, 2); });
  add("ping-pong", "round trip",
      []<class S>() { return ping_pong<S>(Cpus::free, kRelease, kAcquire, 0); });
  add("ping-pong/one-cpu", "round trip",
      []<class S>() { return ping_pong<S>(Cpus::one, kRelease, kAcquire, 0); });
}

}  // namespace bench
