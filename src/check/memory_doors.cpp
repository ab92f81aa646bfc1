// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Memory that comes and goes: for the detector it is new each time, and nobody's once freed.
#include <malloc.h>

#include "check/doors.h"

// glibc's allocator under the names that no door has.
extern "C" {
void* __libc_malloc(std::size_t);
void __libc_free(void*);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace thrum::check {
namespace {

bool is_judged() noexcept { return engine.on && engine.started; }

void copy_memory(void* to, const void* from, std::size_t bytes) noexcept {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes)::"memory");
}

void* allocated(void* memory) noexcept {
  if (memory != nullptr && is_judged()) [[unlikely]]
    detector.allocated(memory, malloc_usable_size(memory));
  return memory;
}

// Freed, and not given back to libc yet: the last of an execution. What is in it is no part of the
// program's memory; the next execution begins without any.
constexpr std::uint32_t kKept = 256;
constexpr std::size_t kKeptBytes = 1U << 20;
struct Kept {
  void* memory;
  std::size_t size;
};
constinit Kept kept[kKept]{};

void keep(void* memory, std::size_t size) noexcept {
  Execution& run = engine.run;
  while (run.kept == kKept || (run.kept != 0 && run.kept_bytes + size > kKeptBytes)) {
    const Kept& oldest = kept[run.first_kept];
    run.first_kept = (run.first_kept + 1) % kKept;
    --run.kept;
    run.kept_bytes -= oldest.size;
    __libc_free(oldest.memory);
  }
  kept[(run.first_kept + run.kept++) % kKept] = {memory, size};
  run.kept_bytes += size;
}

void free_from(void* memory, Pc pc) noexcept {
  if (memory == nullptr || !is_judged()) return __libc_free(memory);
  const std::size_t size = malloc_usable_size(memory);
  watched(memory, size, pc);
  judged(detector.freed(self().id, memory, size, pc));
  if (engine.run.reuses || size > kKeptBytes / 4) return __libc_free(memory);
  keep(memory, size);
}

}  // namespace

THRUM_DOOR(void*, malloc, std::size_t bytes) { return allocated(__libc_malloc(bytes)); }
THRUM_DOOR(void*, calloc, std::size_t count, std::size_t bytes) {
  return allocated(__libc_calloc(count, bytes));
}
// Whoever still uses the old memory is wrong, whether or not it moves: it always does.
THRUM_DOOR(void*, realloc, void* memory, std::size_t bytes) {
  if (memory == nullptr || !is_judged()) return allocated(__libc_realloc(memory, bytes));
  void* moved = nullptr;
  if (bytes != 0) {
    moved = allocated(__libc_malloc(bytes));
    if (moved == nullptr) return nullptr;
    const std::size_t size = malloc_usable_size(memory);
    copy_memory(moved, memory, size < bytes ? size : bytes);
  }
  free_from(memory, THRUM_CALLER());
  return moved;
}
THRUM_DOOR(void*, memalign, std::size_t alignment, std::size_t bytes) {
  return allocated(__libc_memalign(alignment, bytes));
}
THRUM_DOOR(void*, aligned_alloc, std::size_t alignment, std::size_t bytes) {
  return allocated(__libc_memalign(alignment, bytes));
}
THRUM_DOOR(int, posix_memalign, void** out, std::size_t alignment, std::size_t bytes) {
  void* const memory = allocated(__libc_memalign(alignment, bytes));
  if (memory == nullptr) return ENOMEM;
  *out = memory;
  return 0;
}
THRUM_DOOR(void, free, void* memory) { free_from(memory, THRUM_CALLER()); }

// The forms of operator delete, or who freed would always be libstdc++.
THRUM_DOOR(void, _ZdlPv, void* memory) { free_from(memory, THRUM_CALLER()); }
THRUM_DOOR(void, _ZdlPvm, void* memory, std::size_t) { free_from(memory, THRUM_CALLER()); }
THRUM_DOOR(void, _ZdaPv, void* memory) { free_from(memory, THRUM_CALLER()); }
THRUM_DOOR(void, _ZdaPvm, void* memory, std::size_t) { free_from(memory, THRUM_CALLER()); }

}  // namespace thrum::check
