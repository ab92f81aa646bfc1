// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The shapes of work. Each returns a Run for one contender; a contender is a type, or a type and a
// lambda or two that say how it spells the operation.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "harness.h"

namespace bench {

/// One thread does `step(state)` again and again.
template <class State, class Step, class... Args>
Run alone(Step step, Args... args) {
  return [=](std::uint64_t n) {
    const auto state = std::make_unique<State>(args...);
    keep(*state);
    const Cost begin = Cost::so_far();
    for (; n != 0; --n) step(*state);
    return Cost::so_far() - begin;
  };
}

/// Each of some threads does `step(state)` again and again: for what they do together.
template <class State, class Step, class... Args>
Run together(std::size_t threads, Step step, Args... args) {
  return [=](std::uint64_t n) {
    const auto state = std::make_unique<State>(args...);
    return time_threads(threads, Cpus::free, [&](std::size_t) {
      for (std::uint64_t left = n; left != 0; --left) step(*state);
    });
  };
}

struct Contention {
  std::size_t threads;
  std::uint32_t inside_ns;
  std::uint32_t outside_ns = 0;
  Cpus cpus = Cpus::free;
};

/// Threads take turns with a lock. They stop at a common count, not at one of their own, so that
/// nobody is left to finish alone.
template <class Lock, class... Args>
Run contended(Contention how, Args... args) {
  return [=](std::uint64_t n) {
    struct Shared {
      alignas(64) Lock lock;
      alignas(64) std::uint64_t count = 0;
    };
    const std::unique_ptr<Shared> shared(new Shared{.lock = Lock(args...)});
    std::atomic<std::uint64_t> turns{0};
    const Cost cost = time_threads(how.threads, how.cpus, [&](std::size_t) {
      std::uint64_t mine = 0;
      for (bool more = true; more; mine += more ? 1 : 0) {
        shared->lock.lock();
        more = shared->count < n;
        shared->count += more ? 1 : 0;
        work(how.inside_ns);
        shared->lock.unlock();
        work(how.outside_ns);
      }
      turns.fetch_add(mine, std::memory_order_relaxed);
    });
    require(turns.load(std::memory_order_relaxed) == n, "contended");
    return cost;
  };
}

/// The numbers below `n`, handed out a few at a time to whoever asks: nobody finishes much earlier
/// than the others.
class Numbers {
 public:
  explicit Numbers(std::uint64_t n) : end_(n) {}

  template <class Use>
  void draw(Use use) {
    constexpr std::uint64_t kFew = 16;
    for (;;) {
      std::uint64_t i = next_.fetch_add(kFew, std::memory_order_relaxed);
      if (i >= end_) return;
      for (const std::uint64_t stop = std::min(i + kFew, end_); i < stop; ++i) use(i);
    }
  }

 private:
  alignas(64) std::atomic<std::uint64_t> next_{0};
  const std::uint64_t end_;
};

/// A number as an item of a queue. The string is too long to fit inside the object.
template <class T>
T item_of(std::uint64_t number) {
  if constexpr (std::is_same_v<T, std::string>) {
    std::string item(32, 'x');
    std::memcpy(item.data(), &number, sizeof number);
    return item;
  } else {
    return number;
  }
}
template <class T>
std::uint64_t number_of(const T& item) {
  if constexpr (std::is_same_v<T, std::string>) {
    std::uint64_t number = 0;
    std::memcpy(&number, item.data(), sizeof number);
    return number;
  } else {
    return item;
  }
}

/// Some threads put items into a queue, some get them out; checks that each item arrives.
template <class Queue, class T, class... Args>
Run flow(std::size_t putters, std::size_t getters, Args... args) {
  return [=](std::uint64_t n) {
    const auto queue = std::make_unique<Queue>(args...);
    Numbers puts(n);
    Numbers gets(n);
    std::atomic<std::uint64_t> total{0};
    const Cost cost = time_threads(putters + getters, Cpus::free, [&](std::size_t index) {
      if (index < putters) {
        puts.draw([&](std::uint64_t number) { queue->put(item_of<T>(number)); });
      } else {
        std::uint64_t sum = 0;
        gets.draw([&](std::uint64_t) { sum += number_of<T>(queue->get()); });
        total.fetch_add(sum, std::memory_order_relaxed);
      }
    });
    // The sum of all numbers below n, modulo 2^64 like the other.
    require(
        total.load(std::memory_order_relaxed) == (n % 2 == 0 ? n / 2 * (n - 1) : (n - 1) / 2 * n),
        "flow");
    return cost;
  };
}

/// Two threads pass a turn to and fro over two gates: `give(gate)` lets `take(gate)` return.
template <class Gate, class Give, class Take, class... Args>
Run ping_pong(Cpus cpus, Give give, Take take, Args... args) {
  return [=](std::uint64_t n) {
    struct Gates {
      alignas(64) Gate there;
      alignas(64) Gate back;
    };
    const std::unique_ptr<Gates> gates(new Gates{.there = Gate(args...), .back = Gate(args...)});
    return time_threads(2, cpus, [&](std::size_t index) {
      for (std::uint64_t left = n; left != 0; --left) {
        if (index == 0) {
          give(gates->there);
          take(gates->back);
        } else {
          take(gates->there);
          give(gates->back);
        }
      }
    });
  };
}

}  // namespace bench
