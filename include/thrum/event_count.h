// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [sleepers] change -> announce, register -> look: who changes the queue and then asks "does
//              anybody sleep?", and who says "I sleep" and then looks at the queue once more.
//              seq_cst on all four puts them in one order, so at least one sees the other. A lock
//              around the first two and around the look does as well (locked_store.h).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "thrum/backoff.h"
#include "thrum/wait.h"

namespace thrum {

/// The sleepers of one side of a queue: an event count (Dmitry Vyukov), with at most one wake under
/// way. The thread it wakes wakes the next while there is work, so a burst makes no storm.
///
/// Who changes the queue calls announce() after the change that ready() sees and before the one
/// that lets another thread go on; wake() after both, which uses nothing but an address.
class THRUM_API EventCount {
 public:
  struct Always {
    constexpr bool operator()() const noexcept { return true; }
  };

  constexpr EventCount() noexcept = default;

  /// Returns whether wake() must follow.
  [[gnu::always_inline]] bool announce() noexcept {
    const std::uint32_t state = state_.load(std::memory_order_seq_cst);  // [sleepers]
    if (state == 0) [[likely]]
      return false;
    return (state & kWaking) == 0 && announce_slow();
  }
  const Word* address() const noexcept { return &epoch_; }
  static void wake(const Word* address) noexcept { thrum::wake(address, 1); }
  void wake_all() noexcept;

  /// Calls `attempt`, which has just failed, until it does not answer would_block, sleeping while
  /// `ready` is false. attempt(bool slept) returns an Outcome; with `slept` it must pass the wake
  /// on if it succeeds and there is work for another. ready() tells whether an attempt may succeed;
  /// pays(), whether it is worth while already: it is not asked for longer than a microsecond.
  template <class Attempt, class Ready, class Pays = Always>
  auto block_on(Attempt attempt, Ready ready, const Deadline& deadline, WaitingFor& what,
                Pays pays = {}) -> decltype(attempt(true));

 private:
  friend struct EventCountTest;

  // state_: how many are between register and deregister, and the wake permit. The permit is taken
  // by who is about to wake one, and given back by whoever comes next to sleep or from sleep. It
  // may be given back too early (then two wakes are under way), never too late: a sleeper reads
  // the epoch, then gives the permit back, then looks; so a permit taken after that moves the epoch
  // it will sleep on.
  static constexpr std::uint32_t kWaking = 1u << 31;

  // Passes a wake on that its receiver cannot use, also when an exception carries it away.
  template <class Ready>
  struct PassOn {
    EventCount& side;
    Ready& ready;
    bool armed = false;
    ~PassOn() {
      if (armed && ready() && side.announce()) wake(side.address());
    }
  };

  bool announce_slow() noexcept;
  std::uint32_t enter() noexcept;
  void leave() noexcept;

  Word state_{0};
  Word epoch_{0};
};

/// What an attempt came to.
enum class Outcome : std::uint8_t { done, would_block, closed };

template <class Attempt, class Ready, class Pays>
auto EventCount::block_on(Attempt attempt, Ready ready, const Deadline& deadline, WaitingFor& what,
                          Pays pays) -> decltype(attempt(true)) {
  // Ready, but the attempt fails: another thread is half-way through, and not running. Do not spin
  // on it for ever (it may have a lower priority), look again after a nap.
  constexpr std::chrono::microseconds kNap{100};
  PassOn<Ready> pass_on{*this, ready};
  for (bool nap = false;;) {
    for (Backoff backoff = Backoff::even(); backoff.spin();) {
      if (backoff.pausing() && !pays()) continue;
      const Outcome outcome = attempt(pass_on.armed);
      if (outcome == Outcome::done) pass_on.armed = false;  // the attempt saw to it
      if (outcome != Outcome::would_block) return outcome;
    }
    const std::uint32_t epoch = enter();
    pass_on.armed = true;
    const bool was_ready = ready();
    Wake why = Wake::woken;
    if (!was_ready) {
      why = thrum::wait(epoch_, epoch, deadline, what);
    } else if (nap) {
      why = thrum::wait(epoch_, epoch, deadline.at_most(kNap), what);
      if (why == Wake::timeout && !deadline.expired()) why = Wake::woken;
    }
    leave();
    nap = was_ready;
    if (why == Wake::timeout || why == Wake::stopped) {
      const Outcome outcome = attempt(true);  // what is there is never refused
      if (outcome == Outcome::done) pass_on.armed = false;
      return outcome;
    }
  }
}

}  // namespace thrum
