// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "explore/words.h"

namespace thrum::explore {

using check::Op;

std::string_view sentence(check::Uncontrolled kind) {
  switch (kind) {
    case check::kSharesWithProcesses:
      return "locks, or words that threads wait at, may be shared with other processes: what those "
             "do "
             "is not";
    case check::kStartsProcesses:
      return "it starts processes: they are not";
    case check::kUsesNetwork:
      return "it uses the network: what comes from there, and when, is not";
    case check::kHasTimers:
      return "it has timers that send signals: when those come is not";
    default:
      return "";
  }
}

std::string_view name_of(check::StrategyId strategy) {
  using enum check::StrategyId;
  switch (strategy) {
    case random:
      return "random";
    case pct:
      return "pct";
    case pos:
      return "pos";
    case urw:
      return "urw";
    case surw:
      return "surw";
    case rff:
      return "rff";
    case dfs:
      return "dfs";
    case replay:
      return "replay";
    default:
      return "rotation";
  }
}

std::string_view verb(Op op) {
  switch (op) {
    case Op::start:
      return "begins";
    case Op::read:
      return "reads";
    case Op::write:
      return "writes";
    case Op::atomic_load:
      return "loads";
    case Op::atomic_store:
      return "stores";
    case Op::atomic_rmw:
      return "updates";
    case Op::fence:
      return "fence";
    case Op::lock:
    case Op::spin_lock:
      return "locks";
    case Op::trylock:
      return "tries";
    case Op::unlock:
    case Op::rw_unlock:
      return "unlocks";
    case Op::relock:
      return "woken, locks again:";
    case Op::read_lock:
      return "locks to read";
    case Op::write_lock:
      return "locks to write";
    case Op::condition_wait:
      return "waits on";
    case Op::condition_blocked:
    case Op::futex_blocked:
    case Op::barrier_blocked:
    case Op::once_blocked:
      return "goes on after";
    case Op::signal:
      return "notifies one of";
    case Op::broadcast:
      return "notifies all of";
    case Op::create:
      return "starts a thread";
    case Op::created:
      return "has started it";
    case Op::join:
      return "has joined";
    case Op::thread_end:
      return "ends";
    case Op::yield:
      return "yields";
    case Op::sleep:
      return "sleeps";
    case Op::semaphore_wait:
      return "acquires";
    case Op::semaphore_post:
      return "releases";
    case Op::barrier_wait:
      return "arrives at";
    case Op::futex_wait:
      return "sleeps on";
    case Op::futex_wake:
      return "wakes";
    case Op::once:
      return "initialises";
    case Op::choose:
      return "chooses";
    case Op::process_end:
      return "ends the process";
    case Op::cancel:
      return "cancels a thread";
    case Op::signal_send:
      return "sends";
    case Op::signal_wait:
      return "takes";
    case Op::handler:
      return "handles";
    case Op::pause:
      return "pauses";
  }
  return "";
}

std::string_view noun(Op op) {
  switch (op) {
    case Op::lock:
    case Op::trylock:
    case Op::unlock:
    case Op::relock:
      return "mutex";
    case Op::spin_lock:
      return "spin lock";
    case Op::read_lock:
    case Op::write_lock:
    case Op::rw_unlock:
      return "rwlock";
    case Op::condition_wait:
    case Op::condition_blocked:
    case Op::signal:
    case Op::broadcast:
      return "condition";
    case Op::semaphore_wait:
    case Op::semaphore_post:
      return "semaphore";
    case Op::barrier_wait:
    case Op::barrier_blocked:
      return "barrier";
    case Op::futex_wait:
    case Op::futex_blocked:
    case Op::futex_wake:
    case Op::atomic_load:
    case Op::atomic_store:
    case Op::atomic_rmw:
      return "atomic";
    case Op::once:
    case Op::once_blocked:
      return "once";
    case Op::read:
    case Op::write:
      return "variable";
    default:
      return "";
  }
}

}  // namespace thrum::explore
