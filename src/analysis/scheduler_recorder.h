// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "analysis/bpf_recorder.h"
#include "analysis/recording.h"
#include "analysis/switch_recorder.h"

namespace thrum::analysis {

/// How context switches are seen.
enum class Level : std::uint8_t {
  best,       ///< the first of the others that this machine allows
  bpf,        ///< by programs that the kernel runs: who came next, who let whom go, which call
  switches,   ///< by the kernel's switch records
  schedstat,  ///< in sum, as /proc counts
};

/// The ladder: records the scheduler's doings with one process and its future children on the
/// highest rung that there is.
class SchedulerRecorder {
 public:
  struct Who {
    pid_t pid;
    bool children;  ///< also those that it will have
    bool runs;      ///< already, with threads of its own
  };
  SchedulerRecorder(Level level, const Who& who, std::uint64_t origin_ns);

  /// Returns the rung that it is on; never `best`.
  Level rung() const { return rung_; }
  /// Returns `level`, and what follows it on this rung: "recorder and BPF".
  std::string_view text() const;
  /// Returns why it is not a higher one, and what would help; empty if nothing would.
  const std::string& refusal() const { return refusal_; }

  /// Takes what was recorded since the last call. Returns how full the fullest ring was, 0 to 1.
  double drain();
  /// What was taken and not written yet.
  const SchedulerRecords& fresh() const { return fresh_; }
  /// Writes it: all, or if it is worth packing.
  void write(RecordingWriter& writer, bool all);
  /// Returns how many records found no room.
  std::uint64_t lost() const;

 private:
  void refused(const std::string& why);

  Level rung_ = Level::schedstat;
  std::unique_ptr<BpfRecorder> bpf_;
  std::unique_ptr<SwitchRecorder> switches_;
  SchedulerRecords fresh_;
  std::string refusal_;
};

}  // namespace thrum::analysis
