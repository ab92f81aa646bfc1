// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/barrier.h"

#include <fmt/format.h>
#include <pthread.h>

#include <barrier>
#include <cstddef>

#include "cases/cases.h"
#include "shapes.h"

#ifdef BENCH_BOOST
#include <boost/thread/barrier.hpp>
#endif

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

// Abseil's barrier is not here: it is good for one round only.
void add_barrier_cases(Cases& cases) {
  for (const int threads : {2, 4, 8, 16, 64}) {
    const auto make = [&]<class B>() {
      return together<B>(
          static_cast<std::size_t>(threads),
          [](B& barrier) {
            if constexpr (requires { barrier.arrive_and_wait(); }) {
              barrier.arrive_and_wait();
            } else {
              (void)barrier.wait();
            }
          },
          threads);
    };
    Case rounds{.name = fmt::format("barrier/T={}", threads),
                .operation = "round",
                .contenders = {by<thrum::Barrier>("thrum::Barrier", make),
                               by<std::barrier<>>("std::barrier", make),
                               by<PthreadBarrier>("pthread_barrier", make)},
                .growth = threads > 16};
#ifdef BENCH_BOOST
    rounds.contenders.push_back(by<boost::barrier>("boost::barrier", make));
#endif
    cases.push_back(std::move(rounds));
  }
}

}  // namespace bench
