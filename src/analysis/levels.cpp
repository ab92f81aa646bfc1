// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/levels.h"

#include <fmt/format.h>

#include "analysis/session.h"

namespace thrum::analysis {
namespace {

void check(Level wanted, const SchedulerRecorder& scheduler) {
  if (wanted != Level::best && wanted != scheduler.rung()) throw CannotWatch(scheduler.refusal());
}

}  // namespace

LevelText level_of_recorder(Level wanted, const SchedulerRecorder& scheduler) {
  check(wanted, scheduler);
  LevelText text{fmt::format("recorder and {}", scheduler.text()), "", scheduler.refusal()};
  switch (scheduler.rung()) {
    case Level::bpf:
      text.cannot_tell = "who holds a semaphore, a lock for reading or another library's futex";
      break;
    case Level::switches:
      text.cannot_tell =
          "whether a processor that left the process ran another or none, and what the kernel was "
          "waited for outside of locks";
      break;
    default:
      text.cannot_tell = "when a thread was switched, and to whom; running from ready, but in sum";
  }
  return text;
}

LevelText level_from_outside(Level wanted, const SchedulerRecorder& scheduler,
                             const std::string& reason) {
  check(wanted, scheduler);
  LevelText text{"looked at from outside", "", reason};
  if (scheduler.rung() != Level::schedstat) text.level += fmt::format(", and {}", scheduler.text());
  switch (scheduler.rung()) {
    case Level::bpf:
      text.cannot_tell =
          "who held a lock, and where it was wanted, in waits shorter than the time between two "
          "looks";
      break;
    case Level::switches:
      text.cannot_tell = "waits that are shorter than the time between two looks";
      break;
    default:
      text.cannot_tell =
          "waits that are shorter than the time between two looks, when a thread was switched and "
          "to whom, running from ready";
  }
  text.cannot_tell += ", how often a lock was taken and for how long, and what child processes do";
  if (!scheduler.refusal().empty()) {
    text.advice += (reason.empty() ? "" : "; ") + scheduler.refusal();
  }
  return text;
}

}  // namespace thrum::analysis
