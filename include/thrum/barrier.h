// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "thrum/config.h"
#include "thrum/wait.h"

namespace thrum {

/// Lets `parties` threads wait for each other, again and again.
///
/// The last to arrive runs the action, then all go on. Whoever gives up breaks the barrier for all,
/// until reset(). Arrivals beyond `parties`, and those during a reset, wait outside for the next
/// round; giving up there breaks nothing. May be destroyed when wait() has returned in every party
/// but the last to arrive.
/// Like    threading.Barrier; std::barrier, plus breaking, deadlines and stop tokens.
class THRUM_API Barrier {
 public:
  using Action = std::function<void()>;

  /// `timeout` is used by the wait() that is given no deadline.
  /// Throws  UsageError if `parties` is not 1 to 2^31 - 1, or `timeout` is NaN.
  explicit Barrier(std::int64_t parties, Action action = {},
                   std::optional<std::chrono::nanoseconds> timeout = {});
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  /// Blocks until all parties have called wait().
  /// Returns the order of arrival, 0 to parties() - 1: unique in the round.
  /// Throws  BrokenBarrier if the barrier is or gets broken; what the action throws, in the thread
  ///         that ran it, and the barrier is broken then.
  /// Order   what every party did before happens before what every party does after.
  /// Cost    one compare-exchange, and a sleep if the others take more than some microseconds.
  std::uint32_t wait();

  /// The same, giving up at `deadline`, which breaks the barrier.
  /// Returns nothing if the barrier is or gets broken, also by this deadline.
  [[nodiscard]] std::optional<std::uint32_t> wait(const Deadline& deadline);

  /// Breaks the barrier: all who wait now or later get BrokenBarrier.
  void abort() noexcept;

  /// Makes the barrier empty and whole. Those who wait now get BrokenBarrier.
  void reset() noexcept;

  std::uint32_t parties() const noexcept { return parties_; }
  /// Returns how many threads wait for the round to fill; stale as soon as it is returned.
  std::uint32_t n_waiting() const noexcept;
  /// Returns whether the barrier is broken; stale as soon as it is returned.
  bool broken() const noexcept;

 private:
  enum class End : std::uint8_t { passed, broken, gave_up };
  enum class Where : std::uint8_t { inside, outside };

  End wait(const Deadline& deadline, std::uint32_t& index);
  End await_round(std::uint64_t arrived, const Deadline& deadline, Where where) noexcept;
  void leave_broken() noexcept;
  bool finish_round(std::uint64_t round);
  const Word* word() const noexcept;

  std::atomic<std::uint64_t> state_{0};
  std::uint32_t parties_;
  std::optional<std::chrono::nanoseconds> timeout_;
  Action action_;
};

}  // namespace thrum
