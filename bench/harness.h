// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What a benchmark is made of. A case is something to do; its contenders do it. Each round runs
// every contender once, in rotating order, so that whatever disturbs the machine disturbs them all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

/// What something cost the process, in all its threads together.
struct Cost {
  double wall_ns = 0;
  double cpu_ns = 0;
  double sleeps = 0;                     ///< voluntary context switches
  std::map<std::string, double> also{};  ///< what else a round tells, by name; not per operation

  /// Returns what the process has cost so far.
  static Cost so_far() noexcept;
  Cost operator-(const Cost& earlier) const noexcept;
};

using Figure = double Cost::*;

/// Does a number of operations and returns what all of them cost. What it needs is made outside of
/// the time that it reports.
using Run = std::function<Cost(std::uint64_t operations)>;

struct Contender {
  std::string name;  ///< begins with `thrum`, `std`, `floor` (the least work that could do it) or
                     ///< `spin` (a peer that never sleeps), or names a peer
  Run run;
  std::size_t bytes = 0;  ///< of one object

  bool is(std::string_view kind) const noexcept { return name.starts_with(kind); }
};
using Contenders = std::vector<Contender>;

/// Returns a contender of type T: `make` is a lambda `<class T>() -> Run`.
template <class T, class Make>
Contender by(std::string name, Make make) {
  return { std::move(name), make.template operator()<T>(), sizeof(T) };
}

/// A figure that thrum's contender in a case must not exceed; see --check.
struct Promise {
  std::string against;  ///< kind of contender: the figure is wall time over its wall time, by
                        ///< round. Empty: the figure is CPU ns per operation.
  double at_most;
};

struct Case {
  std::string name;       ///< primitive/shape
  std::string operation;  ///< what is counted once
  Contenders contenders;
  std::vector<Promise> promises{};
  double longer = 1;        ///< a round takes so many times the usual
  bool growth = false;      ///< only shows how a cost grows
  std::uint64_t batch = 1;  ///< a Run is asked for so many operations at a time
};
using Cases = std::vector<Case>;

/// Median, and where the middle 80 percent lie.
struct Spread {
  double median = 0;
  double p10 = 0;
  double p90 = 0;

  static Spread of(std::vector<double> values);
};

/// What a contender cost, per operation.
struct Measured {
  std::uint64_t operations = 0;  ///< in a round
  std::vector<Cost> rounds;

  Spread spread(Figure figure) const;
  /// Returns one of Cost::also.
  Spread spread(const std::string& name) const;
};

struct Result {
  const Case* what = nullptr;
  std::vector<Measured> contenders;  ///< as in the case
  std::size_t baseline = 0;          ///< the first of kind `std`, or the last contender

  /// Returns the wall time of one contender over that of another in the same round.
  Spread ratio(std::size_t contender, std::size_t over) const;
  /// Returns the first contender of a kind; the number of contenders if there is none.
  std::size_t first(std::string_view kind) const noexcept;
  /// Returns the figure that a promise is about.
  double figure(const Promise& promise) const;
};

/// Returns how many operations last about `target_ns`. Also warms up.
std::uint64_t calibrate(const Run& run, double target_ns);

/// Calibrates each contender once, then measures. `progress` is called before each round.
Result measure(const Case& what, std::size_t rounds, double seconds,
               const std::function<void(std::size_t round)>& progress);

enum class Cpus : std::uint8_t {
  free,   ///< wherever the scheduler likes
  one,    ///< all threads on one processor
  apart,  ///< each on the next one, in turn
};
/// Restricts the calling thread, the `index`th of its kind.
void run_on(Cpus cpus, std::size_t index);
std::size_t cpu_count() noexcept;

/// Returns what `body` costs in `threads` threads, from when the last of them has come up until all
/// are done. None starts earlier.
Cost time_threads(std::size_t threads, Cpus cpus,
                  const std::function<void(std::size_t index)>& body);

/// Keeps the processor busy for about so many ns, without touching memory.
void work(std::uint32_t ns) noexcept;

/// Lets the compiler know nothing about the object.
template <class T>
void keep(T& object) noexcept {
  asm volatile("" : : "r"(&object) : "memory");
}

/// Ends the program if a contender did not do its work: no figure without that.
void require(bool done, std::string_view what);

}  // namespace bench
