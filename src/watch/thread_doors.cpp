// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Birth, name and end of threads; the ways in which a process dies.
#include <dlfcn.h>

#include <csignal>
#include <cstring>

#include "trace/shared.h"
#include "watch/hooks.h"

namespace thrum::watch {
namespace {

using trace::End;
using trace::Slot;

// The first function of each thread that is created here. Nothing is allocated for it: what to call
// is in the slot.
void* first_function(void* argument) {
  Slot& slot = *static_cast<Slot*>(argument);
  auto* const function = reinterpret_cast<void* (*)(void*)>(slot.function);
  auto* const its_argument = reinterpret_cast<void*>(slot.argument);
  Local& me = local;
  me.started_here = true;
  // Above this frame are the caller's and the thread's own data: all of it mapped.
  me.stack_top = (number(__builtin_frame_address(0)) + 256) & ~std::uint64_t{31};
  me.stack_low = me.stack_top - slot.stack_bytes;
  attach(slot);
  void* const result = function(its_argument);
  if (me.slot != nullptr) me.slot->end = End::returned;
  return result;
}

std::uint64_t stack_bytes(const pthread_attr_t* attributes) noexcept {
  std::size_t size = 0;
  if (attributes == nullptr || pthread_attr_getstacksize(attributes, &size) != 0) {
    return usual_stack_bytes();
  }
  return size;
}

// All relaxed: a name is for people.
Slot* find_slot(pthread_t thread) noexcept {
  const std::uint64_t claimed = shared->header.serials.load(std::memory_order_relaxed);
  for (std::uint64_t i = 0; i < claimed && i < trace::kSlots; ++i) {
    Slot& slot = shared->slots[i];
    const std::uint32_t life = slot.life.load(std::memory_order_relaxed);
    if ((life == trace::kNew || life == trace::kLive) && slot.process == this_process() &&
        slot.pthread.get() == static_cast<std::uint64_t>(thread)) {
      return &slot;
    }
  }
  return nullptr;
}

template <class Block>
int join(pthread_t thread, std::uint64_t site, std::uint8_t flags, Block block) noexcept {
  Local* const me = enter();
  if (me == nullptr) return block();
  Wait wait(*me, Kind::join, reinterpret_cast<const void*>(thread), site, 0, flags);
  return wait.over(block());
}

}  // namespace

THRUM_DOOR(int, pthread_create, pthread_t* thread, const pthread_attr_t* attributes,
           void* (*function)(void*), void* argument) {
  Local* const me = enter();
  Slot* const slot = me == nullptr ? nullptr : claim_slot();
  if (slot == nullptr) return real.pthread_create(thread, attributes, function, argument);
  slot->function = number(reinterpret_cast<const void*>(function));
  slot->argument = number(argument);
  slot->stack_bytes = stack_bytes(attributes);
  const std::uint64_t site = THRUM_SITE();
  emit(*me, trace::Type::thread_new, slot->function, trace::pack(site, stack_of(*me, site)),
       slot->serial);
  const int result = real.pthread_create(thread, attributes, first_function, slot);
  if (result != 0) {
    slot->serial = 0;
    slot->life.store(trace::kFree, std::memory_order_release);  // [life]
  }
  return result;
}

THRUM_DOOR(int, pthread_join, pthread_t thread, void** result) {
  return join(thread, THRUM_SITE(), 0, [=] { return real.pthread_join(thread, result); });
}
THRUM_DOOR(int, pthread_timedjoin_np, pthread_t thread, void** result, const timespec* until) {
  return join(thread, THRUM_SITE(), trace::kTimed,
              [=] { return real.pthread_timedjoin_np(thread, result, until); });
}
THRUM_DOOR(int, pthread_clockjoin_np, pthread_t thread, void** result, clockid_t clock,
           const timespec* until) {
  return join(thread, THRUM_SITE(), trace::kTimed,
              [=] { return real.pthread_clockjoin_np(thread, result, clock, until); });
}

THRUM_DOOR(void, pthread_exit, void* result) {
  if (Local* const me = enter()) me->slot->end = End::exited;
  real.pthread_exit(result);
  __builtin_unreachable();
}

THRUM_DOOR(int, pthread_setname_np, pthread_t thread, const char* name) {
  Local* const me = enter();
  const int result = real.pthread_setname_np(thread, name);
  if (me == nullptr || result != 0) return result;
  Slot* named = me->slot;
  if (pthread_equal(thread, pthread_self()) == 0) named = find_slot(thread);
  if (named != nullptr) std::strncpy(named->name, name, sizeof named->name - 1);
  return result;
}

namespace {

// Names the exception that nobody caught, if that is why the process aborts.
void note_exception(Slot& slot) noexcept {
  // std::type_info as the C++ ABI has it: its second word points at the mangled name.
  using CurrentException = const char* const* (*)();
  const auto current =
      reinterpret_cast<CurrentException>(dlsym(RTLD_DEFAULT, "__cxa_current_exception_type"));
  const char* const* const type = current != nullptr ? current() : nullptr;
  if (type == nullptr || type[1] == nullptr) return;
  const char* const name = type[1] + (type[1][0] == '*' ? 1 : 0);
  std::strncpy(slot.text, name, sizeof slot.text - 1);
  slot.text[sizeof slot.text - 1] = '\0';
}

// Says who died, then lets the signal do what it would have done: it comes again, or is sent again.
void on_fatal_signal(int signal, siginfo_t* info, void*) {
  const KeepErrno keep;
  Local& me = local;
  if (me.slot != nullptr) end_thread(End::signalled, static_cast<std::uint64_t>(signal));
  struct sigaction usual{};
  usual.sa_handler = SIG_DFL;
  sigaction(signal, &usual, nullptr);
  if (info->si_code <= 0) raise(signal);  // sent by somebody: it does not come again by itself
}

}  // namespace

void watch_fatal_signals() noexcept {
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    struct sigaction old{};
    if (sigaction(signal, nullptr, &old) != 0 || (old.sa_flags & SA_SIGINFO) != 0 ||
        old.sa_handler != SIG_DFL) {
      continue;
    }
    struct sigaction ours{};
    ours.sa_sigaction = on_fatal_signal;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigaction(signal, &ours, nullptr);
  }
}

THRUM_DOOR(void, abort) {
  if (Local* const me = enter()) {
    note_exception(*me->slot);
    end_thread(End::aborted, SIGABRT);
  }
  real.abort();
  __builtin_unreachable();
}

}  // namespace thrum::watch
