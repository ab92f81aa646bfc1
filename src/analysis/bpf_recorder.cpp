// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [events] the kernel -> drain(): the events below the producer's position; and, for one that is
//   being written, the length of it. The kernel's own barriers: Documentation/bpf/ringbuf.rst.
#include "analysis/bpf_recorder.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string_view>
#include <system_error>

namespace thrum::analysis {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::uint32_t kRingBytes = 4u << 20;  // 80 thousand events
constexpr std::uint32_t kProcesses = 4096;
// Helpers that read another thread's registers are for programs under the GPL as well.
constexpr char kLicense[] = "Dual MIT/GPL";

int bpf(bpf_cmd command, bpf_attr& attributes) {
  return static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

int make_map(bpf_map_type type, std::uint32_t key, std::uint32_t value, std::uint32_t entries) {
  bpf_attr attributes{};
  attributes.map_type = type;
  attributes.key_size = key;
  attributes.value_size = value;
  attributes.max_entries = entries;
  return bpf(BPF_MAP_CREATE, attributes);
}

std::string own_path() {
  char self[PATH_MAX];
  const ssize_t n = readlink("/proc/self/exe", self, sizeof self);
  return n > 0 ? std::string(self, static_cast<std::size_t>(n)) : std::string("thrum");
}

// The programs see the thread ids of the machine, not those of a container.
bool sees_all_processes() {
  constexpr ino_t kInitialNamespace = 0xEFFFFFFC;  // PROC_PID_INIT_INO
  struct stat status{};
  return stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == kInitialNamespace;
}

std::string why_not(const char* what, int error) {
  if (error == EPERM || error == EACCES) {
    return fmt::format(
        "the kernel's own account of switches needs two capabilities (once: "
        "sudo setcap cap_bpf,cap_perfmon+ep {})",
        own_path());
  }
  return fmt::format("{}: {}", what, std::generic_category().message(error));
}

}  // namespace

BpfRecorder::BpfRecorder(pid_t pid, bool children, std::uint64_t origin_ns)
    : origin_ns_(origin_ns), refusal_(open(pid, children)) {}

std::string BpfRecorder::open(pid_t pid, bool children) {
  // The rights first: whoever has none is told so in microseconds.
  maps_.processes =
      make_map(BPF_MAP_TYPE_HASH, sizeof(std::uint32_t), sizeof(std::uint32_t), kProcesses);
  if (maps_.processes < 0) return why_not("bpf", errno);
  if (!sees_all_processes()) {
    return "the kernel's own account has other ids than a container's /proc";
  }
  const auto places = KernelPlaces::of(KernelTypes::of_this_kernel());
  if (!places)
    return "this kernel does not describe its types (/sys/kernel/btf), or is before 5.18";
  maps_.ring = make_map(BPF_MAP_TYPE_RINGBUF, 0, 0, kRingBytes);
  maps_.lost = make_map(BPF_MAP_TYPE_ARRAY, sizeof(std::uint32_t), sizeof(std::uint64_t), 1);
  if (maps_.ring < 0 || maps_.lost < 0) return why_not("bpf", errno);
  void* const consumed = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, maps_.ring, 0);
  if (consumed == MAP_FAILED) return why_not("the ring of BPF", errno);
  consumed_ = consumed;
  void* const produced =
      mmap(nullptr, kPage + 2 * std::size_t{kRingBytes}, PROT_READ, MAP_SHARED, maps_.ring, kPage);
  if (produced == MAP_FAILED) return why_not("the ring of BPF", errno);
  produced_ = produced;

  auto key = static_cast<std::uint32_t>(pid);
  bpf_attr attributes{};
  attributes.map_fd = static_cast<std::uint32_t>(maps_.processes);
  attributes.key = reinterpret_cast<std::uintptr_t>(&key);
  attributes.value = reinterpret_cast<std::uintptr_t>(&key);
  if (bpf(BPF_MAP_UPDATE_ELEM, attributes) != 0) return why_not("bpf", errno);

  std::string problem;
  if (children) {
    problem = run("thrum_birth", birth_program(*places, maps_), places->sched_wakeup_new);
  }
  if (problem.empty()) {
    problem = run("thrum_waking", waking_program(*places, maps_), places->sched_waking);
  }
  if (problem.empty()) {
    problem = run("thrum_switch", switch_program(*places, maps_), places->sched_switch);
  }
  // From here on only the programs themselves say who is observed: nobody adds a process to it.
  attributes = {};
  attributes.map_fd = static_cast<std::uint32_t>(maps_.processes);
  if (problem.empty() && bpf(BPF_MAP_FREEZE, attributes) != 0) problem = why_not("bpf", errno);
  return problem;
}

// Loads a program and has it run at its hook. Returns what went wrong.
std::string BpfRecorder::run(const char* name, const BpfCode& code, std::uint32_t hook) {
  std::array<char, 65536> log{};
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_TRACING;
  attributes.expected_attach_type = BPF_TRACE_RAW_TP;
  attributes.attach_btf_id = hook;
  attributes.insns = reinterpret_cast<std::uintptr_t>(code.data());
  attributes.insn_cnt = static_cast<std::uint32_t>(code.size());
  attributes.license = reinterpret_cast<std::uintptr_t>(kLicense);
  std::strncpy(attributes.prog_name, name, sizeof attributes.prog_name - 1);
  int program = bpf(BPF_PROG_LOAD, attributes);
  if (program < 0) {
    // Once more, for what the kernel has to say: its last line.
    attributes.log_level = 1;
    attributes.log_buf = reinterpret_cast<std::uintptr_t>(log.data());
    attributes.log_size = log.size();
    program = bpf(BPF_PROG_LOAD, attributes);
  }
  if (program < 0) {
    const int error = errno;
    std::string_view said(log.data(), strnlen(log.data(), log.size()));
    if (const std::size_t end = said.find("\nprocessed "); end != std::string_view::npos) {
      said = said.substr(0, end);
    }
    while (said.ends_with('\n')) said.remove_suffix(1);
    said = said.substr(said.rfind('\n') + 1);
    return said.empty() ? why_not("BPF", error)
                        : fmt::format("the kernel takes no {}: {}", name, said);
  }
  programs_.push_back(program);
  attributes = {};
  attributes.raw_tracepoint.prog_fd = static_cast<std::uint32_t>(program);
  const int link = bpf(BPF_RAW_TRACEPOINT_OPEN, attributes);
  if (link < 0) return why_not("BPF", errno);
  programs_.push_back(link);
  return {};
}

BpfRecorder::~BpfRecorder() {
  for (const int file : programs_) close(file);
  if (produced_ != nullptr) munmap(produced_, kPage + 2 * std::size_t{kRingBytes});
  if (consumed_ != nullptr) munmap(consumed_, kPage);
  for (const int file : {maps_.processes, maps_.ring, maps_.lost}) {
    if (file >= 0) close(file);
  }
}

void BpfRecorder::take(const SchedulerEvent& event, SchedulerRecords& into) const {
  const std::uint64_t ns = event.ns - std::min(event.ns, origin_ns_);
  if ((event.flags & SchedulerEvent::kWake) != 0) {
    into.wakes.push_back({ns, event.tid, event.other, event.call, 0});
    return;
  }
  if ((event.flags & SchedulerEvent::kFromOurs) != 0) {
    const auto to = (event.flags & SchedulerEvent::kToIdle) != 0  ? Switch::kToIdle
                    : (event.flags & SchedulerEvent::kToOwn) != 0 ? Switch::kToOwn
                                                                  : Switch::kToOther;
    std::uint16_t flags = Switch::kOut | to;
    if ((event.flags & SchedulerEvent::kPreempted) != 0) flags |= Switch::kPreempted;
    if ((event.flags & SchedulerEvent::kEnded) != 0) flags |= Switch::kExit;
    into.switches.push_back({ns, event.tid, event.cpu, flags});
    if (event.call >= 0) into.sleeps.push_back({ns, event.tid, event.call, event.argument});
  }
  if ((event.flags & SchedulerEvent::kToOurs) != 0) {
    into.switches.push_back({ns, event.other, event.cpu, 0});
  }
}

double BpfRecorder::drain(SchedulerRecords& into) {
  if (!active()) return 0;
  auto* const consumed = static_cast<std::uint64_t*>(consumed_);
  const auto* const produced = static_cast<const std::uint64_t*>(produced_);
  const auto* const data = static_cast<const unsigned char*>(produced_) + kPage;
  const std::uint64_t head = __atomic_load_n(produced, __ATOMIC_ACQUIRE);  // [events]
  std::uint64_t tail = *consumed;
  const double full = static_cast<double>(head - tail) / kRingBytes;
  while (tail < head) {
    const unsigned char* const at = data + tail % kRingBytes;
    const std::uint32_t length =
        __atomic_load_n(reinterpret_cast<const std::uint32_t*>(at), __ATOMIC_ACQUIRE);  // [events]
    if ((length & BPF_RINGBUF_BUSY_BIT) != 0) break;  // its writer is not done
    const std::uint32_t bytes = length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
    if (bytes == sizeof(SchedulerEvent) && (length & BPF_RINGBUF_DISCARD_BIT) == 0) {
      SchedulerEvent event;
      std::memcpy(&event, at + BPF_RINGBUF_HDR_SZ, sizeof event);
      take(event, into);
    }
    tail += BPF_RINGBUF_HDR_SZ + (bytes + 7) / 8 * 8;
  }
  __atomic_store_n(consumed, tail, __ATOMIC_RELEASE);  // [events]
  return full;
}

std::uint64_t BpfRecorder::lost() const {
  std::uint32_t key = 0;
  std::uint64_t value = 0;
  bpf_attr attributes{};
  attributes.map_fd = static_cast<std::uint32_t>(maps_.lost);
  attributes.key = reinterpret_cast<std::uintptr_t>(&key);
  attributes.value = reinterpret_cast<std::uintptr_t>(&value);
  return maps_.lost >= 0 && bpf(BPF_MAP_LOOKUP_ELEM, attributes) == 0 ? value : 0;
}

}  // namespace thrum::analysis
