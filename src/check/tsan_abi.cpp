// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What code compiled with -fsanitize=thread calls. The interface has been the same from gcc 11 and
// clang 14 on; the two differ in which forms of compare-exchange and memcpy they call.
//
// Edges
//   [program] any -> any: the program's own edges while it is not under control, at their
//   strongest.
#include "check/doors.h"

#define THRUM_HOOK extern "C" __attribute__((visibility("default")))

namespace thrum::check {
namespace {

inline bool is_judged() noexcept { return engine.on && engine.started; }

[[gnu::always_inline]] inline void read(const void* address, std::size_t size, Pc pc) noexcept {
  if (only_judges()) {
    judged(detector.read_here(address, size, pc));
  } else if (is_judged()) {
    plain_access(address, size, false, pc);
  }
}
[[gnu::always_inline]] inline void write(const void* address, std::size_t size, Pc pc) noexcept {
  if (only_judges()) {
    judged(detector.write_here(address, size, pc));
  } else if (is_judged()) {
    plain_access(address, size, true, pc);
  }
}

Order order(int number) noexcept { return static_cast<Order>(number & 7); }

template <class T>
const void* plain_address(const volatile T* address) noexcept {
  return const_cast<const T*>(address);
}

template <class T>
T load(const volatile T* address, int memory_order, Pc pc) noexcept {
  if (!is_judged()) return __atomic_load_n(address, __ATOMIC_SEQ_CST);  // [program]
  const void* const at = plain_address(address);
  point(Op::atomic_load, at, pc);
  const T value = *address;
  note_value(static_cast<std::uint64_t>(value));
  watched(at, sizeof(T), pc);
  judged(detector.atomic_read(self().id, at, sizeof(T), order(memory_order), pc));
  looked_at(at, static_cast<std::uint64_t>(value), pc, 2);
  return value;
}

template <class T>
void store(volatile T* address, T value, int memory_order, Pc pc) noexcept {
  if (!is_judged()) return __atomic_store_n(address, value, __ATOMIC_SEQ_CST);  // [program]
  const void* const at = plain_address(address);
  point(Op::atomic_store, at, pc);
  *address = value;
  note_value(static_cast<std::uint64_t>(value));
  watched(at, sizeof(T), pc);
  judged(detector.atomic_write(self().id, at, sizeof(T), order(memory_order), pc));
  changed(at);
  progress();
}

template <class T, class Function>
T update(volatile T* address, int memory_order, Pc pc, Function function) noexcept {
  if (!is_judged()) {
    T old = __atomic_load_n(address, __ATOMIC_SEQ_CST);  // [program]
    while (!__atomic_compare_exchange_n(address, &old, function(old), true,
                                        __ATOMIC_SEQ_CST,     // [program]
                                        __ATOMIC_SEQ_CST)) {  // [program]
    }
    return old;
  }
  const void* const at = plain_address(address);
  point(Op::atomic_rmw, at, pc);
  const T old = *address;
  const T value = function(old);
  *address = value;
  note_value(static_cast<std::uint64_t>(value));
  watched(at, sizeof(T), pc);
  judged(detector.atomic_update(self().id, at, sizeof(T), order(memory_order), pc));
  if (value == old) {  // a test_and_set that failed is no more than a look
    looked_at(at, static_cast<std::uint64_t>(old), pc, 2);
  } else {
    changed(at);
    progress();
  }
  return old;
}

template <class T>
bool compare_exchange(volatile T* address, T* expected, T desired, int on_success, int on_failure,
                      Pc pc) noexcept {
  if (!is_judged()) {
    return __atomic_compare_exchange_n(address, expected, desired, false,
                                       __ATOMIC_SEQ_CST,   // [program]
                                       __ATOMIC_SEQ_CST);  // [program]
  }
  const void* const at = plain_address(address);
  point(Op::atomic_rmw, at, pc);
  const T old = *address;
  if (old == *expected) {
    *address = desired;
    note_value(static_cast<std::uint64_t>(desired));
    watched(at, sizeof(T), pc);
    judged(detector.atomic_update(self().id, at, sizeof(T), order(on_success), pc));
    changed(at);
    progress();
    return true;
  }
  *expected = old;
  note_value(static_cast<std::uint64_t>(old));
  note_flag(kFailed);
  watched(at, sizeof(T), pc);
  judged(detector.atomic_read(self().id, at, sizeof(T), order(on_failure), pc));
  looked_at(at, static_cast<std::uint64_t>(old), pc, 2);
  return false;
}

// 16 bytes: the compiler's own atomics would be calls of libatomic.
__extension__ typedef unsigned __int128 Wide;  // NOLINT(modernize-use-using): not ISO C++

Wide wide_read(volatile Wide* address) noexcept {
  return __sync_val_compare_and_swap(address, Wide{0}, Wide{0});
}

template <class Function>
Wide wide_update(volatile Wide* address, int memory_order, Pc pc, Function function) noexcept {
  if (is_judged()) point(Op::atomic_rmw, plain_address(address), pc);
  Wide old = wide_read(address);
  Wide seen = old;
  while ((seen = __sync_val_compare_and_swap(address, old, function(old))) != old) old = seen;
  if (is_judged()) {
    note_value(static_cast<std::uint64_t>(function(old)));
    watched(plain_address(address), 16, pc);
    judged(detector.atomic_update(self().id, plain_address(address), 16, order(memory_order), pc));
    changed(plain_address(address));
    progress();
  }
  return old;
}

}  // namespace

#define THRUM_PLAIN(bytes)                                                                         \
  THRUM_HOOK void __tsan_read##bytes(void* a) { read(a, bytes, THRUM_CALLER()); }                  \
  THRUM_HOOK void __tsan_write##bytes(void* a) { write(a, bytes, THRUM_CALLER()); }                \
  THRUM_HOOK void __tsan_read_write##bytes(void* a) { write(a, bytes, THRUM_CALLER()); }           \
  THRUM_HOOK void __tsan_unaligned_read##bytes(void* a) { read(a, bytes, THRUM_CALLER()); }        \
  THRUM_HOOK void __tsan_unaligned_write##bytes(void* a) { write(a, bytes, THRUM_CALLER()); }      \
  THRUM_HOOK void __tsan_unaligned_read_write##bytes(void* a) { write(a, bytes, THRUM_CALLER()); } \
  THRUM_HOOK void __tsan_volatile_read##bytes(void* a) { read(a, bytes, THRUM_CALLER()); }         \
  THRUM_HOOK void __tsan_volatile_write##bytes(void* a) { write(a, bytes, THRUM_CALLER()); }       \
  THRUM_HOOK void __tsan_unaligned_volatile_read##bytes(void* a) {                                 \
    read(a, bytes, THRUM_CALLER());                                                                \
  }                                                                                                \
  THRUM_HOOK void __tsan_unaligned_volatile_write##bytes(void* a) {                                \
    write(a, bytes, THRUM_CALLER());                                                               \
  }
THRUM_PLAIN(1)
THRUM_PLAIN(2)
THRUM_PLAIN(4)
THRUM_PLAIN(8)
THRUM_PLAIN(16)
THRUM_HOOK void __tsan_read_range(void* a, std::size_t n) { read(a, n, THRUM_CALLER()); }
THRUM_HOOK void __tsan_write_range(void* a, std::size_t n) { write(a, n, THRUM_CALLER()); }
THRUM_HOOK void __tsan_vptr_read(void** a) { read(a, sizeof *a, THRUM_CALLER()); }
THRUM_HOOK void __tsan_vptr_update(void** a, void* value) {
  if (*a != value) write(a, sizeof *a, THRUM_CALLER());
}
#define THRUM_UPDATE(bits, type, name, expression)                                    \
  THRUM_HOOK type __tsan_atomic##bits##_##name(volatile type* a, type v, int order) { \
    return update<type>(a, order, THRUM_CALLER(), [=](type old) -> type {             \
      (void)old;                                                                      \
      return static_cast<type>(expression);                                           \
    });                                                                               \
  }
#define THRUM_ATOMIC(bits, type)                                                                  \
  THRUM_HOOK type __tsan_atomic##bits##_load(const volatile type* a, int order) {                 \
    return load<type>(a, order, THRUM_CALLER());                                                  \
  }                                                                                               \
  THRUM_HOOK void __tsan_atomic##bits##_store(volatile type* a, type v, int order) {              \
    store<type>(a, v, order, THRUM_CALLER());                                                     \
  }                                                                                               \
  THRUM_UPDATE(bits, type, exchange, v)                                                           \
  THRUM_UPDATE(bits, type, fetch_add, old + v)                                                    \
  THRUM_UPDATE(bits, type, fetch_sub, old - v)                                                    \
  THRUM_UPDATE(bits, type, fetch_and, old& v)                                                     \
  THRUM_UPDATE(bits, type, fetch_or, old | v)                                                     \
  THRUM_UPDATE(bits, type, fetch_xor, old ^ v)                                                    \
  THRUM_UPDATE(bits, type, fetch_nand, ~(old & v))                                                \
  THRUM_HOOK int __tsan_atomic##bits##_compare_exchange_strong(volatile type* a, type* c, type v, \
                                                               int order, int failed) {           \
    return compare_exchange<type>(a, c, v, order, failed, THRUM_CALLER());                        \
  }                                                                                               \
  THRUM_HOOK int __tsan_atomic##bits##_compare_exchange_weak(volatile type* a, type* c, type v,   \
                                                             int order, int failed) {             \
    return compare_exchange<type>(a, c, v, order, failed, THRUM_CALLER());                        \
  }                                                                                               \
  THRUM_HOOK type __tsan_atomic##bits##_compare_exchange_val(volatile type* a, type c, type v,    \
                                                             int order, int failed) {             \
    compare_exchange<type>(a, &c, v, order, failed, THRUM_CALLER());                              \
    return c;                                                                                     \
  }
THRUM_ATOMIC(8, std::uint8_t)
THRUM_ATOMIC(16, std::uint16_t)
THRUM_ATOMIC(32, std::uint32_t)
THRUM_ATOMIC(64, std::uint64_t)

THRUM_HOOK Wide __tsan_atomic128_load(const volatile Wide* a, int memory_order) {
  const Pc pc = THRUM_CALLER();
  if (is_judged()) point(Op::atomic_load, plain_address(a), pc);
  const Wide value = wide_read(const_cast<volatile Wide*>(a));
  if (is_judged()) {
    watched(plain_address(a), 16, pc);
    judged(detector.atomic_read(self().id, plain_address(a), 16, order(memory_order), pc));
    looked_at(plain_address(a), static_cast<std::uint64_t>(value ^ value >> 64), pc, 2);
  }
  return value;
}
THRUM_HOOK void __tsan_atomic128_store(volatile Wide* a, Wide v, int memory_order) {
  wide_update(a, memory_order, THRUM_CALLER(), [=](Wide) { return v; });
}
THRUM_HOOK Wide __tsan_atomic128_exchange(volatile Wide* a, Wide v, int memory_order) {
  return wide_update(a, memory_order, THRUM_CALLER(), [=](Wide) { return v; });
}
THRUM_HOOK Wide __tsan_atomic128_compare_exchange_val(volatile Wide* a, Wide c, Wide v, int order,
                                                      int) {
  return wide_update(a, order, THRUM_CALLER(), [=](Wide old) { return old == c ? v : old; });
}
THRUM_HOOK int __tsan_atomic128_compare_exchange_strong(volatile Wide* a, Wide* c, Wide v,
                                                        int order, int) {
  const Wide expected = *c;
  *c = wide_update(a, order, THRUM_CALLER(), [=](Wide old) { return old == expected ? v : old; });
  return *c == expected ? 1 : 0;
}
THRUM_HOOK int __tsan_atomic128_compare_exchange_weak(volatile Wide* a, Wide* c, Wide v, int order,
                                                      int failed) {
  return __tsan_atomic128_compare_exchange_strong(a, c, v, order, failed);
}

THRUM_HOOK void __tsan_atomic_thread_fence(int memory_order) {
  if (!is_judged()) return __atomic_thread_fence(__ATOMIC_SEQ_CST);  // [program]
  const Pc pc = THRUM_CALLER();
  point(Op::fence, nullptr, pc);
  detector.fence(self().id, order(memory_order), pc);
}
THRUM_HOOK void __tsan_atomic_signal_fence(int) {}

THRUM_HOOK void __tsan_init() {}
THRUM_HOOK void __tsan_func_entry(void*) {}
THRUM_HOOK void __tsan_func_exit() {}
THRUM_HOOK void __tsan_ignore_thread_begin() {}
THRUM_HOOK void __tsan_ignore_thread_end() {}

// What libraries say about their own primitives when they are compiled with -fsanitize=thread.
THRUM_HOOK void __tsan_acquire(void* object) {
  if (is_judged()) acquired(object, THRUM_CALLER());
}
THRUM_HOOK void __tsan_release(void* object) {
  if (is_judged()) released(object, THRUM_CALLER());
}
THRUM_HOOK void __tsan_mutex_create(void*, unsigned) {}
THRUM_HOOK void __tsan_mutex_destroy(void*, unsigned) {}
THRUM_HOOK void __tsan_mutex_pre_lock(void*, unsigned) {}
THRUM_HOOK void __tsan_mutex_post_lock(void* object, unsigned, int) { __tsan_acquire(object); }
THRUM_HOOK int __tsan_mutex_pre_unlock(void* object, unsigned) {
  __tsan_release(object);
  return 0;
}
THRUM_HOOK void __tsan_mutex_post_unlock(void*, unsigned) {}
THRUM_HOOK void __tsan_mutex_pre_signal(void*, unsigned) {}
THRUM_HOOK void __tsan_mutex_post_signal(void*, unsigned) {}
THRUM_HOOK void __tsan_mutex_pre_divert(void*, unsigned) {}
THRUM_HOOK void __tsan_mutex_post_divert(void*, unsigned) {}
THRUM_HOOK void AnnotateHappensBefore(const char*, int, void* object) { __tsan_release(object); }
THRUM_HOOK void AnnotateHappensAfter(const char*, int, void* object) { __tsan_acquire(object); }
THRUM_HOOK void AnnotateIgnoreReadsBegin(const char*, int) {}
THRUM_HOOK void AnnotateIgnoreReadsEnd(const char*, int) {}
THRUM_HOOK void AnnotateIgnoreWritesBegin(const char*, int) {}
THRUM_HOOK void AnnotateIgnoreWritesEnd(const char*, int) {}
THRUM_HOOK void AnnotateBenignRaceSized(const char*, int, void*, std::size_t, const char*) {}
THRUM_HOOK void AnnotateRWLockCreate(const char*, int, void*) {}
THRUM_HOOK void AnnotateRWLockDestroy(const char*, int, void*) {}
THRUM_HOOK void AnnotateRWLockAcquired(const char*, int, void* object, long) {
  __tsan_acquire(object);
}
THRUM_HOOK void AnnotateRWLockReleased(const char*, int, void* object, long) {
  __tsan_release(object);
}

}  // namespace thrum::check
