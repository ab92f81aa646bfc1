// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/shared_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <fstream>
#include <system_error>

#include "trace/ticks.h"

namespace thrum::analysis {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// The processor's counter is a clock if it runs at one speed, sleeps included, and the kernel
// trusts it itself.
bool counter_is_a_clock() {
#if defined(__x86_64__)
  std::string source;
  std::ifstream("/sys/devices/system/clocksource/clocksource0/current_clocksource") >> source;
  if (source == "tsc") return true;
#endif
  return false;
}

struct Moment {
  std::uint64_t ticks, ns;
};

// A reading of both clocks, by the shortest of many: nothing came in between.
Moment both_clocks(trace::Clock clock) {
  Moment best{};
  std::uint64_t shortest = ~std::uint64_t{0};
  for (int i = 0; i < 50; ++i) {
    const std::uint64_t before = trace::ticks(clock);
    const std::uint64_t ns = trace::monotonic_ns();
    const std::uint64_t after = trace::ticks(clock);
    if (after - before < shortest) {
      shortest = after - before;
      best = {before + shortest / 2, ns};
    }
  }
  return best;
}

}  // namespace

SharedMemory::SharedMemory(bool record_all) {
  file_ = memfd_create("thrum", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file_ < 0) fail("memfd_create");
  if (ftruncate(file_, sizeof(trace::Shared)) != 0) fail("memfd");
  constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (fcntl(file_, F_ADD_SEALS, kSeals) != 0) fail("memfd: seals");
  void* const memory = mmap(nullptr, sizeof(trace::Shared), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_NORESERVE, file_, 0);
  if (memory == MAP_FAILED) fail("memfd: mmap");
  shared_ = static_cast<trace::Shared*>(memory);

  trace::Header& header = shared_->header;
  header.magic = trace::kMagic;
  header.version = trace::kFormatVersion;
  header.clock = counter_is_a_clock() ? trace::Clock::tsc : trace::Clock::monotonic;
  header.record_all = record_all ? 1 : 0;
  if (getrandom(&header.token, sizeof header.token, 0) != sizeof header.token) fail("getrandom");
  const Moment start = both_clocks(header.clock);
  header.origin = start.ticks;
  origin_ns_ = start.ns;
}

SharedMemory::~SharedMemory() {
  if (shared_ != nullptr) munmap(shared_, sizeof(trace::Shared));
  if (file_ >= 0) close(file_);
}

std::string SharedMemory::where() const {
  return fmt::format("{:x}:{:x}:{:x}", getpid(), file_, shared_->header.token);
}

double SharedMemory::ns_per_tick() const {
  const trace::Header& header = shared_->header;
  if (header.clock == trace::Clock::monotonic) return 1;
  const Moment now = both_clocks(header.clock);
  const std::uint64_t ticks = now.ticks - header.origin;
  return ticks == 0 ? 1 : static_cast<double>(now.ns - origin_ns_) / static_cast<double>(ticks);
}

void SharedMemory::forget_ring(std::uint32_t slot) {
  const std::size_t at = offsetof(trace::Shared, rings) + slot * sizeof shared_->rings[0];
  fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(at),
            sizeof shared_->rings[0]);
}

}  // namespace thrum::analysis
