// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [records] the kernel -> Sampler::take(): the records below data_head; and back below data_tail.
#include "analysis/running_stacks.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "analysis/switch_recorder.h"
#include "trace/ticks.h"

namespace thrum::analysis {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kPages = 16;  // one record is smaller than 64 KiB
constexpr std::uint32_t kStackBytes = 16384;
constexpr int kPatienceMs = 30;

#if defined(__x86_64__)

// Bits of sample_regs_user, linux/arch/x86: the registers come in the order of their bits.
constexpr std::uint64_t kRegisters = 1u << 1 | 1u << 6 | 1u << 7 | 1u << 8 |     // bx bp sp ip
                                     1u << 20 | 1u << 21 | 1u << 22 | 1u << 23;  // r12 to r15

// One thread's samples, at most one of which is wanted.
class Sampler {
 public:
  explicit Sampler(pid_t tid) : tid_(tid) {
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_CPU_CLOCK;
    attributes.sample_period = 500'000;  // nanoseconds
    attributes.sample_type = PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
    attributes.sample_regs_user = kRegisters;
    attributes.sample_stack_user = kStackBytes;
    attributes.exclude_kernel = 1;
    attributes.exclude_hv = 1;
    attributes.wakeup_events = 1;
    file_ = static_cast<int>(
        syscall(SYS_perf_event_open, &attributes, tid, -1, -1, PERF_FLAG_FD_CLOEXEC));
    if (file_ < 0) {
      error_ = errno;
      return;
    }
    memory_ = mmap(nullptr, (1 + kPages) * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
    if (memory_ == MAP_FAILED) error_ = errno;
  }
  ~Sampler() {
    if (memory_ != MAP_FAILED) munmap(memory_, (1 + kPages) * kPage);
    if (file_ >= 0) close(file_);
  }
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  int error() const { return error_; }
  int file() const { return file_; }
  pid_t tid() const { return tid_; }

  bool take(Registered& into) {
    if (memory_ == MAP_FAILED) return false;
    auto* const control = static_cast<perf_event_mmap_page*>(memory_);
    const auto* const data = static_cast<const unsigned char*>(memory_) + kPage;
    const std::uint64_t head = __atomic_load_n(&control->data_head, __ATOMIC_ACQUIRE);  // [records]
    // The first record of a fresh buffer does not wrap, and fits: sizes have 16 bits.
    perf_event_header header;
    if (head < sizeof header) return false;
    std::memcpy(&header, data, sizeof header);
    if (header.type != PERF_RECORD_SAMPLE || header.size > head) return false;
    struct {
      std::uint64_t abi, bx, bp, sp, ip, r12, r13, r14, r15, size;
    } sample;
    std::size_t at = sizeof header;
    if (header.size < at + sizeof sample) return false;
    std::memcpy(&sample, data + at, sizeof sample);
    at += sizeof sample;
    std::uint64_t used = 0;
    if (sample.abi != PERF_SAMPLE_REGS_ABI_64 || sample.size > header.size - at) return false;
    if (sample.size != 0 && header.size - at >= sample.size + sizeof used)
      std::memcpy(&used, data + at + sample.size, sizeof used);
    into.registers = {sample.ip,  sample.sp,  sample.bp,  sample.bx,
                      sample.r12, sample.r13, sample.r14, sample.r15};
    into.bytes.assign(data + at, data + at + std::min(used, sample.size));
    __atomic_store_n(&control->data_tail, head, __ATOMIC_RELEASE);  // [records]
    return true;
  }

 private:
  pid_t tid_;
  int file_ = -1;
  int error_ = 0;
  void* memory_ = MAP_FAILED;
};

#endif

}  // namespace

std::map<pid_t, Registered> sample_running(std::span<const pid_t> tids, std::string& refusal) {
  std::map<pid_t, Registered> found;
#if defined(__x86_64__)
  // What a user may lock for such buffers is little: some threads at a time.
  constexpr std::size_t kTogether = 8;
  for (std::size_t first = 0; first < tids.size(); first += kTogether) {
    std::vector<std::unique_ptr<Sampler>> samplers;
    for (const pid_t tid : tids.subspan(first, std::min(kTogether, tids.size() - first))) {
      auto sampler = std::make_unique<Sampler>(tid);
      if (sampler->error() == ESRCH) continue;  // it has ended
      if (sampler->error() != 0) {
        refusal = SwitchRecorder::why_not(sampler->error());
        continue;
      }
      samplers.push_back(std::move(sampler));
    }
    const std::uint64_t until = trace::monotonic_ns() + std::uint64_t{kPatienceMs} * 1'000'000;
    while (!samplers.empty() && trace::monotonic_ns() < until) {
      std::vector<pollfd> ready;
      for (const auto& sampler : samplers) ready.push_back({sampler->file(), POLLIN, 0});
      poll(ready.data(), ready.size(), kPatienceMs);
      std::erase_if(samplers, [&](const auto& sampler) {
        Registered one;
        if (!sampler->take(one)) return false;
        found[sampler->tid()] = std::move(one);
        return true;
      });
    }
  }
#else
  (void)tids;
  refusal = "made for another processor";
#endif
  return found;
}

std::map<pid_t, Registered> stop_and_read(LiveProcess& process, std::string& refusal) {
  std::map<pid_t, Registered> found;
#if defined(__x86_64__)
  constexpr std::uint64_t kPatienceNs = 200'000'000;
  std::vector<pid_t> seized;
  for (const pid_t tid : tasks_of(process.pid())) {
    if (ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) == 0) {
      seized.push_back(tid);
    } else if (errno != ESRCH) {
      refusal = fmt::format("ptrace: {}", std::generic_category().message(errno));
    }
  }
  for (const pid_t tid : seized) ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr);
  const std::uint64_t until = trace::monotonic_ns() + kPatienceNs;
  for (const pid_t tid : seized) {
    int status = 0;
    pid_t got = 0;
    // One that is deep in the kernel stops when it comes out: it is not waited for long.
    while ((got = waitpid(tid, &status, __WALL | WNOHANG)) == 0 && trace::monotonic_ns() < until)
      usleep(200);
    if (got != tid || !WIFSTOPPED(status)) continue;
    user_regs_struct registers{};
    if (ptrace(PTRACE_GETREGS, tid, nullptr, &registers) == 0) {
      found[tid] = {{registers.rip, registers.rsp, registers.rbp, registers.rbx, registers.r12,
                     registers.r13, registers.r14, registers.r15},
                    process.read_stack(registers.rsp)};
    }
    // A signal that came meanwhile is the thread's.
    const bool is_ours = (status >> 16) == PTRACE_EVENT_STOP;
    const long signal = is_ours ? 0 : WSTOPSIG(status);
    ptrace(PTRACE_DETACH, tid, nullptr, signal);
  }
  // The kernel lets go those that are still seized when this process ends.
#else
  (void)process;
  refusal = "made for another processor";
#endif
  return found;
}

}  // namespace thrum::analysis
