// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Exceptions that several threads hold. libstdc++ counts the holders by atomics that are not
// instrumented: whoever drops one has done with it before the last one frees it.
#include <dlfcn.h>

#include "check/doors.h"

namespace thrum::check {
namespace {

// The records of the C++ ABI as gcc and clang have them, in front of what was thrown.
struct Unwind {
  std::uint64_t exception_class;
  void* cleanup;
  std::uint64_t private_1, private_2;
};
struct alignas(16) Record {
  void* type_or_primary;  // of one that was thrown again out of an exception_ptr: what was thrown
  void* unused[9];
  Unwind unwind;
};
static_assert(sizeof(Record) == 112);
constexpr std::uint64_t kClass = 0x474e5543432b2b00;  // "GNUCC++"; 1 in the last byte: thrown again

void drop(const void* exception, Pc pc) noexcept {
  if (exception == nullptr || !engine.on) return;
  acquired(exception, pc);
  released(exception, pc);
}

const void* caught() noexcept {
  using Globals = Record** (*)();
  static constinit Globals globals = nullptr;
  if (globals == nullptr) {
    globals = reinterpret_cast<Globals>(dlsym(RTLD_DEFAULT, "__cxa_get_globals"));
  }
  const Record* const record = globals != nullptr ? *globals() : nullptr;
  if (record == nullptr || (record->unwind.exception_class & ~std::uint64_t{255}) != kClass) {
    return nullptr;
  }
  return (record->unwind.exception_class & 1) != 0 ? record->type_or_primary : record + 1;
}

}  // namespace

THRUM_DOOR(void, __cxa_end_catch, void) {
  using Function = void (*)();
  static constinit Function known = nullptr;
  if (known == nullptr) known = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "__cxa_end_catch"));
  if (controlled() && engine.started) drop(caught(), THRUM_CALLER());
  known();
}

// std::exception_ptr::_M_release()
THRUM_DOOR(void, _ZNSt15__exception_ptr13exception_ptr10_M_releaseEv, void** pointer) {
  using Function = void (*)(void**);
  static constinit Function known = nullptr;
  if (known == nullptr) {
    known = reinterpret_cast<Function>(
        dlsym(RTLD_NEXT, "_ZNSt15__exception_ptr13exception_ptr10_M_releaseEv"));
  }
  if (controlled()) drop(*pointer, THRUM_CALLER());
  known(pointer);
}

}  // namespace thrum::check
