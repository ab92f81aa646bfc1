// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Threads: birth, end, and what runs once.
#include <dlfcn.h>

#include <cstring>

#include "check/doors.h"
#include "check/fiber.h"
#include "check/server.h"

namespace thrum::check {
namespace {

constexpr std::uint32_t kKeys = 1024;  // as glibc

// The destructors of keys: a fiber's end is no end of a thread for glibc. They are in memory that
// is put back after an execution, which may have made and deleted keys.
using Destructor = void (*)(void*);
struct Keys {
  std::uint32_t end;  // no key at or above has a destructor
  Destructor destructor[kKeys];
};
constinit Keys* keys = nullptr;

// glibc's, of thread_local variables. It is looked for before the first execution: the linker
// writes to memory that would be put back after each.
using Function = void (*)();
constinit Function call_tls_dtors = nullptr;

const void* end_of(const Thread& thread) noexcept { return &thread.finished; }

void end_thread(Thread& me) noexcept {
  run_thread_destructors();
  point(Op::thread_end, end_of(me), 0);
  if (--engine.run.living == 0) end_process(0);  // as when main() has left by pthread_exit
  me.finished = true;
  me.runs = 0;
  me.gate = &kShut;
  Execution& run = engine.run;
  std::uint32_t at = 0;
  while (engine.alive[at] != &me) ++at;
  for (--run.alive; at < run.alive; ++at) engine.alive[at] = engine.alive[at + 1];
  if (me.detached) me.joined = true;
}

void run_thread(Thread* thread) {
  if (__builtin_setjmp(thread->end_jump) == 0) thread->result = thread->function(thread->argument);
  end_thread(self());
  leave();
}

// All but its lists, which are the most of it.
void clear(Thread& thread) noexcept {
  using Word [[gnu::may_alias]] = std::uint64_t;
  auto* const word = reinterpret_cast<Word*>(&thread);
  for (std::size_t i = 0; i < offsetof(Thread, spin) / sizeof(Word); ++i) word[i] = 0;
}

Thread& new_thread(void* (*function)(void*), void* argument, Pc pc) noexcept {
  Execution& run = engine.run;
  if (run.threads == kThreads) {
    finish(Outcome::unsupported, "more than 127 threads in one execution", 0, pc);
  }
  const Job& job = engine.shared->job;
  if (job.own_threads != 0 && run.threads >= job.own_threads) {
    finish(Outcome::unsupported, "more threads than when the schedule was found", 0, pc);
  }
  if (run.threads > donors()) finish(Outcome::more_donors, nullptr);
  Thread& thread = engine.thread[run.threads];
  clear(thread);
  thread.id = static_cast<std::uint8_t>(run.threads++);
  ++run.living;
  engine.alive[run.alive++] = &thread;
  thread.runs = 1;
  thread.op = Op::start;
  thread.gate = &kOpen;
  thread.pc = reinterpret_cast<Pc>(function);
  thread.deadline = kNever;
  thread.priority = random_number() | std::uint64_t{1} << 40;
  thread.function = function;
  thread.argument = argument;
  make_fiber(thread, run_thread);
  ThreadFacts& facts = engine.shared->thread[thread.id];
  facts = {reinterpret_cast<std::uintptr_t>(function), pc, self().id, {}};
  detector.create(self().id, thread.id, pc);
  return thread;
}

// pthread_once_t and the guards of static variables: who comes while another is at it waits.
void wake_once(const void* object) noexcept {
  for (std::uint32_t i = 0; i < engine.run.threads; ++i) {
    Thread& thread = engine.thread[i];
    if (thread.op == Op::once_blocked && thread.object == object) thread.signalled = true;
  }
  let_go(object);
  progress();
}

struct Guard {
  std::uint8_t done, running;
};

}  // namespace

void prepare_keys() noexcept {
  if (keys == nullptr)
    keys =
        static_cast<Keys*>(map_restored_memory(sizeof(Keys), "the keys of thread-specific data"));
}

void prepare_thread_ends() noexcept {
  call_tls_dtors = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, "__call_tls_dtors"));
}

Thread* find_thread(pthread_t handle) noexcept {
  for (std::uint32_t i = engine.run.threads; i > 0; --i) {
    Thread& thread = engine.thread[i - 1];
    if (thread.handle == handle && !thread.joined) return &thread;
  }
  return nullptr;
}

void run_thread_destructors() noexcept {
  if (call_tls_dtors != nullptr) call_tls_dtors();
  for (int round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS; ++round) {
    bool any = false;
    for (std::uint32_t key = 0; key < keys->end; ++key) {
      const Destructor destroy = keys->destructor[key];
      if (destroy == nullptr) continue;
      void* const value = pthread_getspecific(key);
      if (value == nullptr) continue;
      pthread_setspecific(key, nullptr);
      destroy(value);
      any = true;
    }
    if (!any) break;
  }
}

void exit_thread(void* result) noexcept {
  Thread& me = self();
  me.result = result;
  if (me.cleanups == 0 && me.id == 0) {  // main() leaves, the others go on
    end_thread(me);
    leave();
  }
  unwind_thread();
}

int create(pthread_t* handle, const pthread_attr_t* attributes, void* (*function)(void*),
           void* argument, Pc pc) noexcept {
  if (!engine.started) serve(kDonorsAtFirst);
  point(Op::create, nullptr, pc);
  Thread& thread = new_thread(function, argument, pc);
  int state = PTHREAD_CREATE_JOINABLE;
  if (attributes != nullptr) pthread_attr_getdetachstate(attributes, &state);
  thread.detached = state == PTHREAD_CREATE_DETACHED;
  begin_signal_mask(thread, attributes);
  *handle = thread.handle;
  point(Op::created, end_of(thread), pc);
  progress();
  return 0;
}

int join(pthread_t handle, void** result, Pc pc, std::int64_t deadline) noexcept {
  Thread* const thread = find_thread(handle);
  if (thread == nullptr) return ESRCH;
  if (thread == &self()) return EDEADLK;
  if (thread->detached) return EINVAL;
  self().target = thread;
  const Cancellable cancellable;
  if (!point(Op::join, end_of(*thread), pc, deadline)) return ETIMEDOUT;
  if (self().cancelled) return 0;  // the door ends the thread
  detector.join(self().id, thread->id, pc);
  thread->joined = true;
  if (result != nullptr) *result = thread->result;
  progress();
  return 0;
}

int detach(pthread_t handle) noexcept {
  Thread* const thread = find_thread(handle);
  if (thread == nullptr) return ESRCH;
  if (thread->detached) return EINVAL;
  thread->detached = true;
  if (thread->finished) thread->joined = true;
  return 0;
}

THRUM_DOOR(int, pthread_create, pthread_t* handle, const pthread_attr_t* attributes,
           void* (*function)(void*), void* argument) {
  if (!controlled()) return libc().pthread_create(handle, attributes, function, argument);
  return create(handle, attributes, function, argument, THRUM_CALLER());
}

THRUM_DOOR(int, pthread_join, pthread_t thread, void** result) {
  if (!controlled()) return libc().pthread_join(thread, result);
  test_cancel();
  return unless_cancelled(join(thread, result, THRUM_CALLER(), kNever));
}
THRUM_DOOR(int, pthread_timedjoin_np, pthread_t thread, void** result, const timespec* until) {
  if (!controlled()) return libc().pthread_timedjoin_np(thread, result, until);
  test_cancel();
  return unless_cancelled(join(thread, result, THRUM_CALLER(),
                               until != nullptr ? deadline_at(*until, CLOCK_REALTIME) : kNever));
}
THRUM_DOOR(int, pthread_clockjoin_np, pthread_t thread, void** result, clockid_t clock,
           const timespec* until) {
  if (!controlled()) return libc().pthread_clockjoin_np(thread, result, clock, until);
  test_cancel();
  return unless_cancelled(
      join(thread, result, THRUM_CALLER(), until != nullptr ? deadline_at(*until, clock) : kNever));
}
THRUM_DOOR(int, pthread_tryjoin_np, pthread_t handle, void** result) {
  if (!controlled()) return libc().pthread_tryjoin_np(handle, result);
  Thread* const thread = find_thread(handle);
  if (thread == nullptr) return ESRCH;
  if (!thread->finished) {
    self().yielded = true;
    point(Op::yield, nullptr, THRUM_CALLER());
    if (!thread->finished) return EBUSY;
  }
  return unless_cancelled(join(handle, result, THRUM_CALLER(), kNever));
}
THRUM_DOOR(int, pthread_detach, pthread_t handle) {
  if (!controlled()) return libc().pthread_detach(handle);
  return detach(handle);
}
THRUM_DOOR(void, pthread_exit, void* result) {
  if (!controlled()) {
    libc().pthread_exit(result);
    __builtin_unreachable();
  }
  exit_thread(result);
}
THRUM_DOOR(int, pthread_setname_np, pthread_t handle, const char* name) {
  if (!controlled()) return libc().pthread_setname_np(handle, name);
  if (const Thread* const thread = find_thread(handle)) {
    ThreadFacts& facts = engine.shared->thread[thread->id];
    copy_text(facts.name, sizeof facts.name, name);
    if (own_threads()) libc().pthread_setname_np(handle, name);  // for the debugger
  }
  return std::strlen(name) < sizeof ThreadFacts::name ? 0 : ERANGE;
}
THRUM_DOOR(pid_t, gettid, void) {
  clockid_t clock{};
  if (!controlled() || pthread_getcpuclockid(self().handle, &clock) != 0) {
    return static_cast<pid_t>(raw_syscall(SYS_gettid));
  }
  return ~(clock >> 3);  // MAKE_THREAD_CPUCLOCK of the kernel: each thread's own, as it expects
}

// C code without unwind tables registers what pthread_exit has to run.
THRUM_DOOR(void, __pthread_register_cancel, void* buffer) {
  if (!controlled()) return libc().__pthread_register_cancel(buffer);
  Thread& me = self();
  me.cleanup[me.cleanups++ % 16] = buffer;
}
THRUM_DOOR(void, __pthread_unregister_cancel, void* buffer) {
  if (!controlled()) return libc().__pthread_unregister_cancel(buffer);
  if (self().cleanups > 0) --self().cleanups;
}
THRUM_DOOR(void, __pthread_unwind_next, void* buffer) {
  if (!controlled()) {
    libc().__pthread_unwind_next(buffer);
    __builtin_unreachable();
  }
  exit_thread(self().result);
}

THRUM_DOOR(int, pthread_key_create, pthread_key_t* key, Destructor function) {
  prepare_keys();  // a library's constructor is earlier than all of ours
  const int result = libc().pthread_key_create(key, function);
  if (result == 0 && *key < kKeys) {
    keys->destructor[*key] = function;
    if (function != nullptr && *key >= keys->end) keys->end = *key + 1;
  }
  return result;
}
THRUM_DOOR(int, pthread_key_delete, pthread_key_t key) {
  if (key < kKeys) keys->destructor[key] = nullptr;
  return libc().pthread_key_delete(key);
}

// 0: not yet, 1: somebody is at it, 2: done; as in glibc. once_call.c calls the function and tells
// of an exception.
extern "C" int thrum_once_begin(pthread_once_t* once, Pc pc) {
  if (*once != 2) point(Op::once, once, pc);
  while (*once == 1) block(Op::once_blocked, once, pc);
  if (*once == 2) {  // for good: nothing to schedule
    acquired(once, pc);
    return 0;
  }
  *once = 1;
  acquired(once, pc);  // what was done before an exception left
  hold(once, pc);
  return 1;
}
extern "C" void thrum_once_end(pthread_once_t* once, int done) {
  *once = done != 0 ? 2 : 0;
  released(once, 0);
  wake_once(once);
}
extern "C" void thrum_once_call(pthread_once_t* once, void (*function)(), Pc pc);

void call_once(pthread_once_t* once, void (*function)(), Pc pc) {
  thrum_once_call(once, function, pc);
}

THRUM_DOOR(int, pthread_once, pthread_once_t* once, void (*function)()) {
  if (!controlled()) return libc().pthread_once(once, function);
  call_once(once, function, THRUM_CALLER());
  return 0;
}

THRUM_DOOR(int, __cxa_guard_acquire, void* object) {
  auto& guard = *static_cast<Guard*>(object);
  if (!controlled()) {
    if (const auto real = libc().__cxa_guard_acquire) return real(object);
    return guard.done == 0 ? 1 : 0;
  }
  const Pc pc = THRUM_CALLER();
  if (guard.done == 0) point(Op::once, object, pc);
  while (guard.running != 0) block(Op::once_blocked, object, pc);
  if (guard.done != 0) {
    acquired(object, pc);
    return 0;
  }
  guard.running = 1;
  acquired(object, pc);
  hold(object, pc);
  return 1;
}
THRUM_DOOR(void, __cxa_guard_release, void* object) {
  if (!controlled()) {
    if (const auto real = libc().__cxa_guard_release) return real(object);
    static_cast<Guard*>(object)->done = 1;
    return;
  }
  auto& guard = *static_cast<Guard*>(object);
  guard = {1, 0};
  // Who finds it done reads that byte himself, and acquires.
  if (engine.started) detector.atomic_write(self().id, object, 1, Order::release, THRUM_CALLER());
  released(object, THRUM_CALLER());
  wake_once(object);
}
THRUM_DOOR(void, __cxa_guard_abort, void* object) {
  if (!controlled()) {
    if (const auto real = libc().__cxa_guard_abort) real(object);
    return;
  }
  *static_cast<Guard*>(object) = {0, 0};
  released(object, THRUM_CALLER());
  wake_once(object);
}

}  // namespace thrum::check
