// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/scheduler_recorder.h"

#include "analysis/procfs.h"

namespace thrum::analysis {

SchedulerRecorder::SchedulerRecorder(Level level, const Who& who, std::uint64_t origin_ns) {
  if (level == Level::best || level == Level::bpf) {
    bpf_ = std::make_unique<BpfRecorder>(who.pid, who.children, origin_ns);
    if (bpf_->active()) {
      rung_ = Level::bpf;
      return;
    }
    refused(bpf_->refusal());
    bpf_.reset();
  }
  if (level == Level::best || level == Level::switches) {
    switches_ = who.runs ? std::make_unique<SwitchRecorder>(tasks_of(who.pid), origin_ns)
                         : std::make_unique<SwitchRecorder>(who.pid, who.children, origin_ns);
    if (switches_->active()) {
      rung_ = Level::switches;
      return;
    }
    refused(switches_->refusal());
    switches_.reset();
  }
}

void SchedulerRecorder::refused(const std::string& why) {
  refusal_ += (refusal_.empty() ? "" : "; ") + why;
}

std::string_view SchedulerRecorder::text() const {
  switch (rung_) {
    case Level::bpf:
      return "BPF";
    case Level::switches:
      return "switch records";
    default:
      return "schedstat";
  }
}

double SchedulerRecorder::drain() {
  if (bpf_ != nullptr) return bpf_->drain(fresh_);
  if (switches_ != nullptr) switches_->drain(fresh_.switches);
  return 0;
}

void SchedulerRecorder::write(RecordingWriter& writer, bool all) {
  constexpr std::size_t kTogether = 2048;  // as for events: packing few costs as much
  if (fresh_.switches.empty() && fresh_.wakes.empty()) return;
  if (!all && fresh_.switches.size() < kTogether) return;
  writer.write(fresh_);
  fresh_.clear();
}

std::uint64_t SchedulerRecorder::lost() const {
  if (bpf_ != nullptr) return bpf_->lost();
  return switches_ != nullptr ? switches_->lost() : 0;
}

}  // namespace thrum::analysis
