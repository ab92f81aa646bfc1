// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Mappings. One without a file that an execution makes is a piece of memory reserved for that, so
// that the next execution finds it as the first did, at the same address. All others stay in the
// kernel.
#include <dlfcn.h>
#include <sys/mman.h>

#include "check/doors.h"

namespace thrum::check {
namespace {

constexpr std::uintptr_t kAt = 0x5e00'0000'0000;  // between programs and fibers, in every process
constexpr std::size_t kBytes = std::size_t{4} << 30;
constexpr std::size_t kPage = 4096;

constinit std::size_t used = 0;  // by this execution and those before it

char* reserved() noexcept { return reinterpret_cast<char*>(kAt); }

bool is_reserved(const void* address) noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  return at >= kAt && at < kAt + kBytes;
}

void give_back(char* begin, std::size_t bytes) noexcept {
  raw_syscall(SYS_madvise, as_long(begin), static_cast<long>(bytes), MADV_DONTNEED);
}

// Returns null if it is not for us.
void* map_here(const void* address, std::size_t bytes, int protection, int flags) noexcept {
  constexpr int kUsual = MAP_PRIVATE | MAP_ANONYMOUS;
  constexpr int kHints = MAP_NORESERVE | MAP_POPULATE | MAP_STACK;
  if (!engine.on || !engine.started || address != nullptr || (flags & ~kHints) != kUsual) {
    return nullptr;
  }
  if (protection != (PROT_READ | PROT_WRITE) || bytes == 0 || bytes > kBytes) return nullptr;
  const std::size_t size = (bytes + kPage - 1) & ~(kPage - 1);
  if (engine.run.mapped + size > kBytes) return nullptr;
  if (engine.run.mapped == 0 && used != 0) {
    give_back(reserved(), used);
    used = 0;
  }
  char* const memory = reserved() + engine.run.mapped;
  engine.run.mapped += size;
  if (used < engine.run.mapped) used = engine.run.mapped;
  return memory;
}

// Of mappings that other processes may have as well, the last.
struct Common {
  const char* begin;
  const char* end;
};
constinit Common common[16]{};
constinit std::uint32_t commons = 0;

using Map = void* (*)(void*, std::size_t, int, int, int, off_t);

}  // namespace

bool is_common(const void* address) noexcept {
  for (const Common& each : common) {
    if (each.begin <= address && address < each.end) return true;
  }
  return false;
}

void prepare_mappings() noexcept { map_memory(kBytes, "mappings", reserved()); }

THRUM_DOOR(void*, mmap, void* address, std::size_t bytes, int protection, int flags, int file,
           off_t offset) {
  if (void* const memory = map_here(address, bytes, protection, flags)) return memory;
  if (engine.on && engine.fast) finish(Outcome::kernel_state, "mmap");
  static constinit Map next = nullptr;
  if (next == nullptr) next = reinterpret_cast<Map>(dlsym(RTLD_NEXT, "mmap"));
  void* const memory = next(address, bytes, protection, flags, file, offset);
  if ((flags & MAP_SHARED) != 0 && memory != MAP_FAILED) {
    const char* const begin = static_cast<const char*>(memory);
    common[commons++ % (sizeof common / sizeof common[0])] = {begin, begin + bytes};
  }
  return memory;
}
THRUM_DOOR(void*, mmap64, void* address, std::size_t bytes, int protection, int flags, int file,
           off_t offset) {
  return mmap(address, bytes, protection, flags, file, offset);
}
THRUM_DOOR(int, munmap, void* address, std::size_t bytes) {
  if (is_reserved(address)) {
    give_back(static_cast<char*>(address), bytes);
    return 0;
  }
  if (engine.on && engine.fast) finish(Outcome::kernel_state, "munmap");
  const long result = raw_syscall(SYS_munmap, as_long(address), static_cast<long>(bytes));
  if (result == 0) return 0;
  errno = static_cast<int>(-result);
  return -1;
}

}  // namespace thrum::check
