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

void* allocated(void* memory) noexcept {
  if (memory != nullptr && is_judged()) [[unlikely]]
    detector.allocated(memory, malloc_usable_size(memory));
  return memory;
}

void freed(void* memory, Pc pc) noexcept {
  if (memory == nullptr || !is_judged()) return;
  const std::size_t size = malloc_usable_size(memory);
  watched(memory, size, pc);
  judged(detector.freed(self().id, memory, size, pc));
}

void free_from(void* memory, Pc pc) noexcept {
  freed(memory, pc);
  __libc_free(memory);
}

}  // namespace

THRUM_DOOR(void*, malloc, std::size_t bytes) { return allocated(__libc_malloc(bytes)); }
THRUM_DOOR(void*, calloc, std::size_t count, std::size_t bytes) {
  return allocated(__libc_calloc(count, bytes));
}
THRUM_DOOR(void*, realloc, void* memory, std::size_t bytes) {
  if (memory != nullptr && is_judged()) {
    detector.allocated(memory, malloc_usable_size(memory));
  }
  return allocated(__libc_realloc(memory, bytes));
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
