// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/bpf_program.h"
#include "analysis/recording.h"

namespace thrum::analysis {

/// The kernel's own account of each context switch and each wake-up of some processes, by programs
/// that it runs for us (BPF): who came next, who let whom go, which call a thread sleeps in. Needs
/// CAP_BPF and CAP_PERFMON, and a kernel that describes its types (5.18 and later).
class BpfRecorder {
 public:
  /// Records `pid`, and its future children if they are asked for, from now on. `origin_ns` is
  /// CLOCK_MONOTONIC's time of the recording's start.
  BpfRecorder(pid_t pid, bool children, std::uint64_t origin_ns);
  ~BpfRecorder();
  BpfRecorder(const BpfRecorder&) = delete;
  BpfRecorder& operator=(const BpfRecorder&) = delete;

  bool active() const { return refusal_.empty(); }
  /// Returns why it is not active, and what would help.
  const std::string& refusal() const { return refusal_; }
  /// Appends what was recorded since the last call. Returns how full the ring was, 0 to 1.
  double drain(SchedulerRecords& into);
  /// Returns how many events found no room.
  std::uint64_t lost() const;

 private:
  std::string open(pid_t pid, bool children);
  std::string run(const char* name, const BpfCode& code, std::uint32_t hook);
  std::string make_rings();
  std::size_t bytes_of_a_ring() const;
  BpfRing& ring(std::uint32_t cpu) const;
  void take(const SchedulerEvent& event, std::uint32_t cpu, SchedulerRecords& into) const;

  std::uint64_t origin_ns_;
  BpfMaps maps_{0, -1, -1, -1, 0};
  std::vector<int> programs_;  // and what ties them to their hooks
  std::uint32_t cpus_ = 0;
  void* rings_ = nullptr;
  std::string refusal_;
};

}  // namespace thrum::analysis
