// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The shapes of work. Each returns a Run for one contender; a contender is a type, or a type and a
// lambda or two that say how it spells the operation.
//
// Edges
//   [round] each waiter -> the last of them -> who set the gate: nobody uses it any more.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "harness.h"
#include "peers/floors.h"
#include "waits.h"

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

/// Threads take turns with a lock, `n` in all: `lock(index, lock)` says how a thread gets it. They
/// stop at a common count, not at one of their own, so that nobody is left to finish alone. Returns
/// also how many turns each had.
template <class Lock, class Take, class... Args>
std::pair<Cost, std::vector<std::uint64_t>> take_turns(const Contention& how, std::uint64_t n,
                                                       Take take, Args... args) {
  struct Shared {
    alignas(64) Lock lock;
    alignas(64) std::uint64_t count = 0;
  };
  const std::unique_ptr<Shared> shared(new Shared{.lock = Lock(args...)});
  std::vector<std::uint64_t> turns(how.threads);
  const Cost cost = time_threads(how.threads, how.cpus, [&](std::size_t index) {
    std::uint64_t mine = 0;
    for (bool more = true; more; mine += more ? 1 : 0) {
      take(index, shared->lock);
      more = shared->count < n;
      shared->count += more ? 1 : 0;
      work(how.inside_ns);
      shared->lock.unlock();
      work(how.outside_ns);
    }
    turns[index] = mine;
  });
  require(std::accumulate(turns.begin(), turns.end(), std::uint64_t{0}) == n, "turns");
  return {cost, std::move(turns)};
}

/// What turns with a lock cost.
template <class Lock, class... Args>
Run contended(Contention how, Args... args) {
  return [=](std::uint64_t n) {
    return take_turns<Lock>(how, n, [](std::size_t, Lock& lock) { lock.lock(); }, args...).first;
  };
}

/// How evenly turns are spread, and how long who wants one waits for it. Reads the clock twice for
/// each.
template <class Lock>
Run fairness(Contention how) {
  return [=](std::uint64_t n) {
    std::vector<Waits> waits(how.threads);
    auto [cost, turns] = take_turns<Lock>(how, n, [&](std::size_t index, Lock& lock) {
      const std::uint64_t begin = now_ns();
      lock.lock();
      waits[index].add(now_ns() - begin);
    });
    for (std::size_t i = 1; i < waits.size(); ++i) waits[0].add(waits[i]);
    cost.also = waits[0].figures();
    const auto [poorest, richest] = std::ranges::minmax(turns);
    cost.also["poorest / richest"] = static_cast<double>(poorest) / static_cast<double>(richest);
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
  } else if constexpr (std::is_same_v<T, std::unique_ptr<std::uint64_t>>) {
    return std::make_unique<std::uint64_t>(number);
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
  } else if constexpr (std::is_same_v<T, std::unique_ptr<std::uint64_t>>) {
    return *item;
  } else {
    return item;
  }
}

/// The sum of the numbers below n, modulo 2^64.
constexpr std::uint64_t sum_below(std::uint64_t n) {
  return n % 2 == 0 ? n / 2 * (n - 1) : (n - 1) / 2 * n;
}

struct Sides {
  std::size_t putters;
  std::size_t getters;
};

/// Some threads put items into a queue, some get them out; checks that each item arrives. `Done`:
/// the getters call task_done().
template <class Queue, class T, bool Done = false, class... Args>
Run flow(Sides sides, Args... args) {
  return [=](std::uint64_t n) {
    const auto queue = std::make_unique<Queue>(args...);
    Numbers puts(n);
    Numbers gets(n);
    std::atomic<std::uint64_t> total{0};
    const auto body = [&](std::size_t index) {
      if (index < sides.putters) {
        puts.draw([&](std::uint64_t number) { queue->put(item_of<T>(number)); });
      } else {
        std::uint64_t sum = 0;
        gets.draw([&](std::uint64_t) {
          sum += number_of<T>(queue->get());
          if constexpr (Done) queue->task_done();
        });
        total.fetch_add(sum, std::memory_order_relaxed);
      }
    };
    Cost cost = time_threads(sides.putters + sides.getters, Cpus::free, body);
    require(total.load(std::memory_order_relaxed) == sum_below(n), "flow");
    return cost;
  };
}

/// One thread puts `batch` items at a time, another gets as many as there are, up to that.
template <class Queue, class... Args>
Run bulk_flow(std::size_t batch, Args... args) {
  return [=](std::uint64_t n) {
    const auto queue = std::make_unique<Queue>(args...);
    std::uint64_t sum = 0;
    Cost cost = time_threads(2, Cpus::free, [&](std::size_t index) {
      if (index == 0) {
        std::vector<std::uint64_t> items(batch);
        for (std::uint64_t i = 0; i < n; ++i) {
          std::iota(items.begin(), items.end(), i * batch);
          queue->put_bulk(std::span(items));
        }
      } else {
        for (std::uint64_t left = n * batch; left != 0;) {
          const auto items = queue->get_bulk(batch);
          for (const std::uint64_t item : items) sum += item;
          left -= items.size();
        }
      }
    });
    require(sum == sum_below(n * batch), "bulk flow");
    return cost;
  };
}

/// One thread puts `items` items, then gets them all.
template <class Queue, class... Args>
Run fill_and_drain(std::size_t items, Args... args) {
  return [=](std::uint64_t n) {
    const auto queue = std::make_unique<Queue>(args...);
    std::uint64_t sum = 0;
    const Cost begin = Cost::so_far();
    for (std::uint64_t left = n; left != 0; --left) {
      for (std::uint64_t i = 0; i < items; ++i) queue->put(i * 0x9e3779b97f4a7c15);  // in no order
      for (std::uint64_t i = 0; i < items; ++i) sum += queue->get();
    }
    Cost cost = Cost::so_far() - begin;
    require(sum == n * sum_below(items) * 0x9e3779b97f4a7c15, "fill and drain");
    return cost;
  };
}

/// From set() until `waiters` threads that sleep have returned from wait(). Each gate is used once.
/// The processor time is that of going to sleep as well.
template <class Gate>
Run wake(std::size_t waiters) {
  return [=](std::uint64_t n) {
    std::array<std::optional<Gate>, 2> gates;
    for (auto& gate : gates) gate.emplace();
    std::atomic<std::size_t> awake{0};
    std::atomic<std::uint64_t> end_ns{0};
    std::uint64_t wall_ns = 0;
    Cost cost = time_threads(waiters + 1, Cpus::free, [&](std::size_t index) {
      for (std::uint64_t round = 0; round < n; ++round) {
        Gate& gate = *gates[round % 2];
        if (index != 0) {
          gate.wait();
          if (awake.fetch_add(1, std::memory_order_acq_rel) + 1 == waiters) {  // [round]
            end_ns.store(now_ns(), std::memory_order_release);                 // [round]
            end_ns.notify_one();
          }
          continue;
        }
        std::this_thread::sleep_for(std::chrono::microseconds(100 + 10 * waiters));  // they sleep
        const std::uint64_t begin = now_ns();
        gate.set();
        end_ns.wait(0, std::memory_order_acquire);  // [round]
        wall_ns += end_ns.exchange(0, std::memory_order_relaxed) - begin;
        awake.store(0, std::memory_order_relaxed);
        gates[round % 2].emplace();  // for the round after the next
      }
    });
    cost.wall_ns = static_cast<double>(wall_ns);
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

/// How many items are in a queue, for growth.
inline constexpr std::array<std::size_t, 5> kItems{1, 100, 10'000, 1'000'000, 10'000'000};

/// Between two threads: where the scheduler puts them, on one processor, each on its own.
struct HandOff {
  const char* name;
  Cpus cpus;
};
inline constexpr std::array<HandOff, 3> kHandOffs{{{"ping-pong", Cpus::free},
                                                   {"ping-pong/one-cpu", Cpus::one},
                                                   {"ping-pong/apart", Cpus::apart}}};

/// Adds the floors of a round trip: a futex, and with two processors a flag that both look at.
inline void add_flag_floors(Contenders& to, Cpus cpus) {
  const auto make = [&]<class Flag>() {
    return ping_pong<Flag>(
        cpus, [](Flag& flag) { flag.set(); },
        [](Flag& flag) {
          flag.wait();
          flag.clear();
        });
  };
  to.push_back(by<FutexFlag>("floor: futex", make));
  if (cpus == Cpus::apart) to.push_back(by<SpinFlag>("floor: spin", make));
}

}  // namespace bench
