// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Replaces operator new, in the program that it is linked into, by one that counts and can fail.
#include "support/failing_new.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace thrum::test {
namespace {

thread_local int allocations_left = -1;  // before the one that fails; negative: none will
thread_local std::size_t bytes = 0;
std::atomic<std::size_t> in_use{0};

void* allocate(std::size_t size, std::size_t alignment) {
  if (allocations_left >= 0 && allocations_left-- == 0) throw std::bad_alloc();
  bytes += size;
  void* memory = nullptr;
  if (posix_memalign(&memory, std::max(alignment, sizeof(void*)), size) != 0) {
    throw std::bad_alloc();
  }
  in_use.fetch_add(malloc_usable_size(memory), std::memory_order_relaxed);
  return memory;
}

void release(void* memory) noexcept {
  if (memory == nullptr) return;
  in_use.fetch_sub(malloc_usable_size(memory), std::memory_order_relaxed);
  std::free(memory);
}

}  // namespace

FailingNew::FailingNew(int after) noexcept { allocations_left = after; }
FailingNew::~FailingNew() { allocations_left = -1; }

std::size_t bytes_allocated() noexcept { return bytes; }
std::size_t bytes_in_use() noexcept { return in_use.load(std::memory_order_relaxed); }

}  // namespace thrum::test

void* operator new(std::size_t size) { return thrum::test::allocate(size, alignof(max_align_t)); }
void* operator new[](std::size_t size) { return thrum::test::allocate(size, alignof(max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return thrum::test::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return thrum::test::allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { thrum::test::release(memory); }
void operator delete[](void* memory) noexcept { thrum::test::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { thrum::test::release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { thrum::test::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { thrum::test::release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { thrum::test::release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  thrum::test::release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  thrum::test::release(memory);
}
