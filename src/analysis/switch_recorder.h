// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/recording.h"

namespace thrum::analysis {

/// The kernel's record of each context switch of one process and what it becomes and starts:
/// perf_event_open() with PERF_RECORD_SWITCH, which needs no privilege where
/// /proc/sys/kernel/perf_event_paranoid is at most 2.
class SwitchRecorder {
 public:
  /// Records `pid` and its future children, from now on. `origin_ns` is CLOCK_MONOTONIC's time of
  /// the recording's start.
  SwitchRecorder(pid_t pid, bool children, std::uint64_t origin_ns);
  /// Records the threads of a process that runs already, and the threads that they will create.
  SwitchRecorder(const std::vector<pid_t>& tids, std::uint64_t origin_ns);
  ~SwitchRecorder();
  SwitchRecorder(const SwitchRecorder&) = delete;
  SwitchRecorder& operator=(const SwitchRecorder&) = delete;

  bool active() const { return !buffers_.empty(); }
  /// Returns why it is not active.
  const std::string& refusal() const { return refusal_; }
  /// Appends what was recorded since the last call.
  void drain(std::vector<Switch>& into);
  /// Returns why perf_event_open() failed, and what would help.
  static std::string why_not(int error);
  /// Returns how many records found no room.
  std::uint64_t lost() const { return lost_; }

 private:
  struct Buffer {
    int file;
    void* memory;
  };
  void open(const std::vector<pid_t>& tids, bool children);
  void close_all();
  void take(const unsigned char* record, std::size_t size, std::vector<Switch>& into);

  std::vector<Buffer> buffers_;  // one for each processor
  std::vector<int> others_;      // events that write to one of them as well
  std::string refusal_;
  std::uint64_t origin_ns_;
  std::uint64_t lost_ = 0;
};

}  // namespace thrum::analysis
