// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Atomics of all sizes, and what is built on them.
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "coverage.h"

namespace {

// Wrong: reads and writes back.
template <class T>
void counter(int wrong) {
  std::atomic<T> count{0};
  const auto add = [&] {
    if (wrong) {
      count.store(static_cast<T>(count.load() + 1));
    } else {
      count.fetch_add(1);
    }
  };
  std::thread other(add);
  add();
  other.join();
  assert(count.load() == 2);
}
void compare_exchange(int wrong) {
  std::atomic<int> count{0};
  const auto add = [&] {
    int seen = count.load();
    if (wrong) {
      count.compare_exchange_strong(seen, seen + 1);
    } else {
      while (!count.compare_exchange_weak(seen, seen + 1)) {
      }
    }
  };
  std::thread other(add);
  add();
  other.join();
  assert(count.load() == 2);
}
void bits(int wrong) {
  std::atomic<unsigned> word{0xf0};
  const auto set = [&](unsigned bit) {
    if (wrong) {
      word.store(word.load() | bit);
    } else {
      word.fetch_or(bit);
    }
  };
  std::thread other(set, 1U);
  set(2U);
  other.join();
  word.fetch_and(0x0fU);
  word.fetch_xor(1U);
  assert(word.exchange(0) == 2);
}
void floating(int wrong) {
  std::atomic<double> sum{0};
  const auto add = [&] {
    if (wrong) {
      sum.store(sum.load() + 1);
    } else {
      sum.fetch_add(1);
    }
  };
  std::thread other(add);
  add();
  other.join();
  assert(sum.load() > 1.5);
}
// Wrong: the two words of the pair are two atomics.
struct alignas(16) Pair {
  std::uint64_t first, second;
};
void sixteen_bytes(int wrong) {
  std::atomic<Pair> pair{Pair{0, 0}};
  std::atomic<std::uint64_t> first{0}, second{0};
  std::thread other([&] {
    for (std::uint64_t i = 1; i < 3; ++i) {
      if (wrong) {
        first = i;
        second = i;
      } else {
        Pair seen = pair.load();
        while (!pair.compare_exchange_weak(seen, Pair{i, i})) {
        }
      }
    }
  });
  const Pair seen = wrong ? Pair{first.load(), second.load()} : pair.load();
  assert(seen.first == seen.second);
  pair.store(pair.exchange(Pair{3, 3}));
  other.join();
}
void atomic_ref(int wrong) {
  int count = 0;
  const auto add = [&] {
    std::atomic_ref<int> shared(count);
    if (wrong) {
      shared.store(shared.load() + 1);
    } else {
      ++shared;
    }
  };
  std::thread other(add);
  add();
  other.join();
  assert(count == 2);
}
// Wrong: it is published before it is complete.
void fences(int wrong) {
  int value = 0;
  std::atomic<int> ready{0};
  std::thread other([&] {
    value = 1;
    if (!wrong) std::atomic_thread_fence(std::memory_order_release);
    ready.store(1, std::memory_order_relaxed);
  });
  while (ready.load(std::memory_order_relaxed) == 0) {
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  assert(value == 1);
  other.join();
}
void spin_lock(int wrong) {
  std::atomic_flag taken;
  std::atomic<int> count{0};
  const auto add = [&](bool locks) {
    while (locks && taken.test_and_set(std::memory_order_acquire)) {
    }
    count.store(count.load() + 1);
    if (locks) taken.clear(std::memory_order_release);
  };
  std::thread other(add, true);
  add(!wrong);
  other.join();
  assert(count.load() == 2);
}
#ifdef __cpp_lib_atomic_shared_ptr
void atomic_shared_ptr(int wrong) {
  std::atomic<std::shared_ptr<int>> shared(std::make_shared<int>(0));
  const auto add = [&] {
    auto seen = shared.load();
    auto next = std::make_shared<int>(*seen + 1);
    if (wrong) {
      shared.store(next);
    } else {
      while (!shared.compare_exchange_strong(seen, next)) next = std::make_shared<int>(*seen + 1);
    }
  };
  std::thread other(add);
  add();
  other.join();
  assert(*shared.load() == 2);
}
#endif

const Case cases[] = {
    {"one_byte", "assertion failed", counter<std::uint8_t>},
    {"two_bytes", "assertion failed", counter<std::uint16_t>},
    {"four_bytes", "assertion failed", counter<std::uint32_t>},
    {"eight_bytes", "assertion failed", counter<std::uint64_t>},
    {"sixteen_bytes", "assertion failed", sixteen_bytes},
    {"compare_exchange", "assertion failed", compare_exchange},
    {"bits", "assertion failed", bits},
    {"floating", "assertion failed", floating},
    {"atomic_ref", "assertion failed", atomic_ref},
    {"fences", "data race", fences},
    {"spin_lock", "assertion failed", spin_lock},
#ifdef __cpp_lib_atomic_shared_ptr
    {"atomic_shared_ptr", "assertion failed", atomic_shared_ptr},
#endif
};

}  // namespace

RUN_CASES(cases)
