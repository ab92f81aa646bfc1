// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/barrier.h"

#include <fmt/format.h>
#include <pthread.h>

#include <barrier>
#include <cstddef>

#include "cases/cases.h"
#include "shapes.h"

namespace bench {
namespace {

class PthreadBarrier {
 public:
  explicit PthreadBarrier(unsigned parties) noexcept {
    (void)pthread_barrier_init(&barrier_, nullptr, parties);
  }
  PthreadBarrier(const PthreadBarrier&) = delete;
  PthreadBarrier& operator=(const PthreadBarrier&) = delete;
  ~PthreadBarrier() { (void)pthread_barrier_destroy(&barrier_); }
  void wait() noexcept { (void)pthread_barrier_wait(&barrier_); }

 private:
  pthread_barrier_t barrier_;
};

}  // namespace

void add_barrier_cases(Cases& cases) {
  constexpr auto kWait = [](auto& barrier) { (void)barrier.wait(); };
  for (const int threads : {2, 4}) {
    const auto n = static_cast<std::size_t>(threads);
    cases.push_back(
        {.name = fmt::format("barrier/T={}", threads),
         .operation = "round",
         .contenders = {
             {"thrum::Barrier", together<thrum::Barrier>(n, kWait, threads)},
             {"std::barrier",
              together<std::barrier<>>(
                  n, [](std::barrier<>& barrier) { barrier.arrive_and_wait(); }, threads)},
             {"pthread_barrier", together<PthreadBarrier>(n, kWait, threads)}}});
  }
}

}  // namespace bench
