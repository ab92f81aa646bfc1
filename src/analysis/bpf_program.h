// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The three small programs that the kernel runs for us at each context switch, each wake-up and
// each birth of a thread (docs/decisions/0010-bpf-by-hand.md).
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/kernel_types.h"

namespace thrum::analysis {

/// What the programs write to a ring.
struct SchedulerEvent {
  // In `flags`, of a switch.
  static constexpr std::uint32_t kFromOurs = 1, kToOurs = 2, kPreempted = 4, kEnded = 8,
                                 kToIdle = 16, kToOwn = 32;
  static constexpr std::uint32_t kWake = 0x100;  ///< no switch

  std::uint64_t ns;     ///< CLOCK_MONOTONIC
  std::uint32_t tid;    ///< who lost the processor, or was let go
  std::uint32_t other;  ///< who got it, or let it go
  std::uint32_t flags;
  std::int32_t call;       ///< that who lost it sleeps in, or who let it go is in; -1 none
  std::uint64_t argument;  ///< the first one of the call
};
static_assert(sizeof(SchedulerEvent) == 32);

/// Where the programs find things in the running kernel.
struct KernelPlaces {
  std::uint32_t sched_switch = 0, sched_waking = 0, sched_wakeup_new = 0;  ///< types of the hooks
  std::uint32_t pid = 0, tgid = 0, signal = 0;                             ///< in task_struct
  std::uint32_t live = 0;               ///< in signal_struct: how many threads it has
  std::uint32_t number = 0, first = 0;  ///< of the call and its first argument, in pt_regs

  /// Returns nothing if this kernel does not describe them, or is older than 5.18.
  static std::optional<KernelPlaces> of(const KernelTypes& types);
};

/// Who is observed beside the first process, whose id is a constant of the programs.
struct Observed {
  std::uint32_t others;  ///< not 0: there have been some; till then their table is not asked
  std::uint32_t unused;
  std::uint64_t lost;  ///< events of a processor that has no ring
};

/// The events of one processor: it alone writes them, so that none needs a lock. Behind it are the
/// events.
struct BpfRing {
  alignas(64) std::uint64_t head;  ///< events that were ever written
  std::uint64_t limit;             ///< up to here there is room, as was seen last
  std::uint64_t lost;              ///< events that found no room
  alignas(64) std::uint64_t tail;  ///< events that were read, by whom they are for
};

struct BpfMaps {
  std::uint32_t first;        ///< id of the first process
  int processes;              ///< the ids of the others that are observed, to anything
  int observed;               ///< one Observed
  int rings;                  ///< for each processor a BpfRing
  std::uint32_t ring_events;  ///< that each has room for: a power of two
};

using BpfCode = std::vector<bpf_insn>;
BpfCode switch_program(const KernelPlaces& places, const BpfMaps& maps);
BpfCode waking_program(const KernelPlaces& places, const BpfMaps& maps);
/// Has the children of observed processes observed.
BpfCode birth_program(const KernelPlaces& places, const BpfMaps& maps);

}  // namespace thrum::analysis
