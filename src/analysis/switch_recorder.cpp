// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [records] the kernel -> drain(): the records below data_head. The kernel's own barriers: see
//   perf_event_open(2), data_head and data_tail.
#include "analysis/switch_recorder.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <system_error>

namespace thrum::analysis {
namespace {

// 512 KiB, what a user may lock for each processor (perf_event_mlock_kb), and one page of control.
constexpr std::size_t kPage = 4096;
constexpr std::size_t kDataBytes = 128 * kPage;

int paranoia() {
  int level = 99;
  std::ifstream("/proc/sys/kernel/perf_event_paranoid") >> level;
  return level;
}

}  // namespace

std::string SwitchRecorder::why_not(int error) {
  const int level = paranoia();
  if ((error == EACCES || error == EPERM) && level > 2 && level != 99) {
    return fmt::format(
        "the kernel keeps its switch records for itself (perf_event_paranoid is {}): "
        "sudo sysctl kernel.perf_event_paranoid=2",
        level);
  }
  return fmt::format("perf_event_open: {}", std::generic_category().message(error));
}

SwitchRecorder::SwitchRecorder(pid_t pid, bool children, std::uint64_t origin_ns)
    : origin_ns_(origin_ns) {
  open({pid}, children);
}

SwitchRecorder::SwitchRecorder(const std::vector<pid_t>& tids, std::uint64_t origin_ns)
    : origin_ns_(origin_ns) {
  open(tids, false);
}

void SwitchRecorder::open(const std::vector<pid_t>& tids, bool children) {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_DUMMY;
  attributes.sample_period = 1;
  attributes.context_switch = 1;
  attributes.task = 1;
  attributes.sample_id_all = 1;
  attributes.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  attributes.inherit = 1;
  attributes.inherit_thread = children ? 0 : 1;
  attributes.use_clockid = 1;
  attributes.clockid = CLOCK_MONOTONIC;
  const long processors = sysconf(_SC_NPROCESSORS_CONF);
  for (int cpu = 0; cpu < processors && refusal_.empty(); ++cpu) {
    int first = -1;
    for (const pid_t tid : tids) {
      // Inherited events have to be of one processor each.
      const auto file = static_cast<int>(
          syscall(SYS_perf_event_open, &attributes, tid, cpu, -1, PERF_FLAG_FD_CLOEXEC));
      if (file < 0 && errno == ENODEV) break;    // a processor that is off
      if (file < 0 && errno == ESRCH) continue;  // the thread has ended
      if (file < 0) {
        refusal_ = why_not(errno);
        break;
      }
      if (first >= 0) {
        others_.push_back(file);
        if (ioctl(file, PERF_EVENT_IOC_SET_OUTPUT, first) == 0) continue;
        refusal_ = why_not(errno);
        break;
      }
      void* const memory =
          mmap(nullptr, kPage + kDataBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
      if (memory == MAP_FAILED) {
        refusal_ =
            fmt::format("no memory for switch records: {}", std::generic_category().message(errno));
        close(file);
        break;
      }
      buffers_.push_back({file, memory});
      first = file;
    }
  }
  if (buffers_.empty() && refusal_.empty()) refusal_ = why_not(ESRCH);
  if (!refusal_.empty()) close_all();
}

SwitchRecorder::~SwitchRecorder() { close_all(); }

void SwitchRecorder::close_all() {
  for (const int file : others_) close(file);
  others_.clear();
  for (const Buffer& buffer : buffers_) {
    munmap(buffer.memory, kPage + kDataBytes);
    close(buffer.file);
  }
  buffers_.clear();
}

void SwitchRecorder::take(const unsigned char* record, std::size_t size,
                          std::vector<Switch>& into) {
  perf_event_header header;
  std::memcpy(&header, record, sizeof header);
  // At the end of each record, as sample_type says: pid, tid, time, cpu, reserved.
  struct {
    std::uint32_t pid, tid;
    std::uint64_t time;
    std::uint32_t cpu, reserved;
  } id;
  if (size < sizeof header + sizeof id) return;
  if (header.type == PERF_RECORD_LOST) {
    std::uint64_t lost = 0;
    std::memcpy(&lost, record + sizeof header + sizeof lost, sizeof lost);
    lost_ += lost;
    return;
  }
  if (header.type != PERF_RECORD_SWITCH && header.type != PERF_RECORD_EXIT) return;
  std::memcpy(&id, record + size - sizeof id, sizeof id);
  std::uint16_t flags = 0;
  if (header.type == PERF_RECORD_EXIT) flags = Switch::kOut | Switch::kExit;
  if ((header.misc & PERF_RECORD_MISC_SWITCH_OUT) != 0) flags |= Switch::kOut;
  if ((header.misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT) != 0) flags |= Switch::kPreempted;
  into.push_back({id.time - origin_ns_, id.tid, static_cast<std::uint16_t>(id.cpu), flags});
}

void SwitchRecorder::drain(std::vector<Switch>& into) {
  std::array<unsigned char, 65536> record;
  for (const Buffer& buffer : buffers_) {
    auto* const control = static_cast<perf_event_mmap_page*>(buffer.memory);
    const auto* const data = static_cast<const unsigned char*>(buffer.memory) + kPage;
    const std::uint64_t head = __atomic_load_n(&control->data_head, __ATOMIC_ACQUIRE);  // [records]
    std::uint64_t tail = control->data_tail;
    const auto copy = [&](std::uint64_t from, std::size_t n) {
      const std::size_t at = from % kDataBytes;
      const std::size_t first = std::min(n, kDataBytes - at);
      std::memcpy(record.data(), data + at, first);
      std::memcpy(record.data() + first, data, n - first);
    };
    while (tail < head) {
      perf_event_header header;
      copy(tail, sizeof header);
      std::memcpy(&header, record.data(), sizeof header);
      if (header.size < sizeof header || header.size > head - tail) break;
      copy(tail, header.size);
      take(record.data(), header.size, into);
      tail += header.size;
    }
    __atomic_store_n(&control->data_tail, head, __ATOMIC_RELEASE);  // [records]
  }
}

}  // namespace thrum::analysis
