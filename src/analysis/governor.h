// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Keeps what recording costs small beside what the program costs: where it would be more, the
// recorder rests for a part of each period.
#pragma once

#include <cstdint>

namespace thrum::analysis {

/// What was spent so far.
struct Spent {
  std::uint64_t ns = 0;          ///< when: since the recording's start
  std::uint64_t program_ns = 0;  ///< of processor time, by the program
  std::uint64_t watcher_ns = 0;  ///< by us, for the events
  std::uint64_t events = 0;      ///< written by the program, for us
};

class Governor {
 public:
  /// The most that recording may cost, as a part of what the program costs.
  static constexpr double kMost = 0.02;
  /// A program that does nearly nothing is not measured by that: nobody misses this much.
  static constexpr double kIdle = 0.25;  // of a processor
  /// An event costs the program so much: two readings of the clock, four words.
  static constexpr std::uint64_t kEventNs = 50;
  static constexpr std::uint64_t kPeriodNs = 200'000'000;
  /// Never rests for more than this part: then nothing would be known.
  static constexpr double kLeast = 0.02;

  /// To be called at least ten times a period. Returns whether the recorder is to rest from now on.
  bool look(const Spent& now);
  /// Returns for how long the recorder rested.
  std::uint64_t rested_ns() const { return rested_ns_; }
  /// Returns how soon look() is to be called.
  std::uint64_t next_ns(std::uint64_t now) const;

 private:
  void begin_period(const Spent& now);

  Spent begun_{};               // at the beginning of this period
  std::uint64_t until_ns_ = 0;  // it records until then, in this period
  std::uint64_t looked_ns_ = 0;
  std::uint64_t rested_ns_ = 0, rested_before_ns_ = 0;
  double duty_ = 1;
  bool resting_ = false;
};

}  // namespace thrum::analysis
