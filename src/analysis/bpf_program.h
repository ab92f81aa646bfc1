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

/// What the programs write to the ring.
struct SchedulerEvent {
  // In `flags`, of a switch.
  static constexpr std::uint16_t kFromOurs = 1, kToOurs = 2, kPreempted = 4, kEnded = 8,
                                 kToIdle = 16, kToOwn = 32;
  static constexpr std::uint16_t kWake = 0x100;  ///< no switch

  std::uint64_t ns;     ///< CLOCK_MONOTONIC
  std::uint32_t tid;    ///< who lost the processor, or was let go
  std::uint32_t other;  ///< who got it, or let it go
  std::uint16_t cpu, flags;
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

struct BpfMaps {
  int processes;  ///< the ids of those that are observed, to anything
  int ring;
  int lost;  ///< of one u64: events that found no room
};

using BpfCode = std::vector<bpf_insn>;
BpfCode switch_program(const KernelPlaces& places, const BpfMaps& maps);
BpfCode waking_program(const KernelPlaces& places, const BpfMaps& maps);
/// Has the children of observed processes observed.
BpfCode birth_program(const KernelPlaces& places, const BpfMaps& maps);

}  // namespace thrum::analysis
