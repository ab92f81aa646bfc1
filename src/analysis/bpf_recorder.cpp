// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [events] the kernel -> drain(): the events below `head`. The stores of our program there have
//   no order of their own: that of the processor, x86-64, keeps them. And back: below `tail` they
//   may be written over.
#include "analysis/bpf_recorder.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string_view>
#include <system_error>

namespace thrum::analysis {
namespace {

constexpr std::uint32_t kProcesses = 4096;
// In the rings of all processors together, as long as each has its least.
constexpr std::uint32_t kEvents = 1u << 17, kLeastEvents = 1u << 12, kMostEvents = 1u << 15;
// Helpers that read another thread's registers are for programs under the GPL as well.
constexpr char kLicense[] = "Dual MIT/GPL";

int bpf(bpf_cmd command, bpf_attr& attributes) {
  return static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

// A table of `entries`; its keys are numbers.
int make_map(bpf_map_type type, std::size_t value, std::uint32_t entries, std::uint32_t flags = 0) {
  bpf_attr attributes{};
  attributes.map_type = type;
  attributes.key_size = sizeof(std::uint32_t);
  attributes.value_size = static_cast<std::uint32_t>(value);
  attributes.max_entries = entries;
  attributes.map_flags = flags;
  return bpf(BPF_MAP_CREATE, attributes);
}

int freeze(int map) {
  bpf_attr attributes{};
  attributes.map_fd = static_cast<std::uint32_t>(map);
  return bpf(BPF_MAP_FREEZE, attributes);
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
  maps_.processes = make_map(BPF_MAP_TYPE_HASH, sizeof(std::uint32_t), children ? kProcesses : 1);
  if (maps_.processes < 0) return why_not("bpf", errno);
  if (!sees_all_processes()) {
    return "the kernel's own account has other ids than a container's /proc";
  }
  const auto places = KernelPlaces::of(KernelTypes::of_this_kernel());
  if (!places)
    return "this kernel does not describe its types (/sys/kernel/btf), or is before 5.18";
  maps_.observed = make_map(BPF_MAP_TYPE_ARRAY, sizeof(Observed), 1);
  if (maps_.observed < 0) return why_not("bpf", errno);
  maps_.first = static_cast<std::uint32_t>(pid);
  std::string problem = make_rings();
  if (problem.empty() && children) {
    problem = run("thrum_birth", birth_program(*places, maps_), places->sched_wakeup_new);
  }
  if (problem.empty()) {
    problem = run("thrum_waking", waking_program(*places, maps_), places->sched_waking);
  }
  if (problem.empty()) {
    problem = run("thrum_switch", switch_program(*places, maps_), places->sched_switch);
  }
  // From here on only the programs themselves say who is observed: nobody adds a process to it.
  if (problem.empty() && (freeze(maps_.processes) != 0 || freeze(maps_.observed) != 0))
    problem = why_not("bpf", errno);
  return problem;
}

// An array in the kernel, which we see as memory.
std::string BpfRecorder::make_rings() {
  cpus_ = static_cast<std::uint32_t>(std::max(get_nprocs_conf(), 1));
  maps_.ring_events = std::bit_floor(std::clamp(kEvents / cpus_, kLeastEvents, kMostEvents));
  maps_.rings = make_map(BPF_MAP_TYPE_ARRAY, bytes_of_a_ring(), cpus_, BPF_F_MMAPABLE);
  if (maps_.rings < 0) return why_not("the rings of BPF", errno);
  void* const rings =
      mmap(nullptr, cpus_ * bytes_of_a_ring(), PROT_READ | PROT_WRITE, MAP_SHARED, maps_.rings, 0);
  if (rings == MAP_FAILED) return why_not("the rings of BPF", errno);
  rings_ = rings;
  return {};
}

std::size_t BpfRecorder::bytes_of_a_ring() const {
  return sizeof(BpfRing) + maps_.ring_events * sizeof(SchedulerEvent);
}

BpfRing& BpfRecorder::ring(std::uint32_t cpu) const {
  return *reinterpret_cast<BpfRing*>(static_cast<unsigned char*>(rings_) + cpu * bytes_of_a_ring());
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
  if (rings_ != nullptr) munmap(rings_, cpus_ * bytes_of_a_ring());
  for (const int file : {maps_.processes, maps_.observed, maps_.rings}) {
    if (file >= 0) close(file);
  }
}

void BpfRecorder::take(const SchedulerEvent& event, std::uint32_t cpu,
                       SchedulerRecords& into) const {
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
    into.switches.push_back({ns, event.tid, static_cast<std::uint16_t>(cpu), flags});
    if (event.call >= 0) into.sleeps.push_back({ns, event.tid, event.call, event.argument});
  }
  if ((event.flags & SchedulerEvent::kToOurs) != 0) {
    into.switches.push_back({ns, event.other, static_cast<std::uint16_t>(cpu), 0});
  }
}

double BpfRecorder::drain(SchedulerRecords& into) {
  if (!active()) return 0;
  std::uint64_t fullest = 0;
  for (std::uint32_t cpu = 0; cpu < cpus_; ++cpu) {
    BpfRing& ring = this->ring(cpu);
    const auto* const events = reinterpret_cast<const SchedulerEvent*>(&ring + 1);
    const std::uint64_t head = __atomic_load_n(&ring.head, __ATOMIC_ACQUIRE);  // [events]
    fullest = std::max(fullest, head - ring.tail);
    for (std::uint64_t at = ring.tail; at != head; ++at) {
      take(events[at % maps_.ring_events], cpu, into);
    }
    __atomic_store_n(&ring.tail, head, __ATOMIC_RELEASE);  // [events]
  }
  return static_cast<double>(fullest) / maps_.ring_events;
}

std::uint64_t BpfRecorder::lost() const {
  if (!active()) return 0;
  std::uint32_t key = 0;
  Observed observed{};
  bpf_attr attributes{};
  attributes.map_fd = static_cast<std::uint32_t>(maps_.observed);
  attributes.key = reinterpret_cast<std::uintptr_t>(&key);
  attributes.value = reinterpret_cast<std::uintptr_t>(&observed);
  bpf(BPF_MAP_LOOKUP_ELEM, attributes);
  std::uint64_t sum = observed.lost;
  for (std::uint32_t cpu = 0; cpu < cpus_; ++cpu) {
    sum += __atomic_load_n(&ring(cpu).lost, __ATOMIC_RELAXED);
  }
  return sum;
}

}  // namespace thrum::analysis
