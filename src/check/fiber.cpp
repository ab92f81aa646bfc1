// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [parked] donor -> prepare_donors: its frame's address; from then on it touches nothing.
//   [baton] give_turn -> await_turn: all that the program and the runtime did before, to the one
//   system thread that runs next.
#include "check/fiber.h"

#include <asm/prctl.h>
#include <linux/futex.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unwind.h>

#include <algorithm>
#include <atomic>
#include <csetjmp>
#include <csignal>

#include "check/modules.h"
#include "interpose/real.h"

// What is kept across a switch is what the psABI for x86-64 says a function keeps.
__asm__(R"(
.text
.globl thrum_switch
.hidden thrum_switch
.type thrum_switch,@function
thrum_switch:             # rdi: where to save the stack pointer, rsi: the other, rdx: thread pointer
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  sub $8, %rsp
  stmxcsr (%rsp)
  fnstcw 4(%rsp)
  mov (%rsp), %eax
  movzwl 4(%rsp), %ecx
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  test %rdx, %rdx
  jz 1f
  wrfsbase %rdx
1:
  cmp %eax, (%rsp)        # to load them takes longer, and they are mostly the same
  je 2f
  ldmxcsr (%rsp)
2:
  cmp %cx, 4(%rsp)
  je 3f
  fldcw 4(%rsp)
3:
  add $8, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
.size thrum_switch, .-thrum_switch
.type thrum_begin,@function
thrum_begin:              # r12: the argument, r13: the function
  .cfi_startproc
  .cfi_undefined rip
  mov %r12, %rdi
  call *%r13
  ud2
  .cfi_endproc
.size thrum_begin, .-thrum_begin
)");
extern "C" void thrum_begin();

// glibc's allocator under the names that no door has.
extern "C" {
void* __libc_malloc(std::size_t);
void __libc_free(void*);
}

namespace thrum::check {

constinit bool switches_in_short = false;

namespace {

// Far from where programs, their heap and libraries are, and the same in every process.
constexpr std::uintptr_t kFirstStack = 0x6000'0000'0000;
constexpr std::size_t kStackBytes = 8U << 20;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kRedZone = 512;

struct Donor {
  pthread_t handle;
  std::atomic<char*> frame;  // where its own use of the stack ends
  // What a thread waits on that has a system thread of its own. kWaits: for its turn.
  std::atomic<std::uint32_t> turn;
  void* context;  // what it runs at its first turn; null: nothing, it is not needed
};
constexpr std::uint32_t kWaits = 0, kRuns = 1;
constinit Donor donor[kThreads]{};
constinit std::uint32_t prepared = 1;  // thread 0 needs none
constinit bool has_wrfsbase = false;
constinit bool has_own_threads = false;
constinit sigset_t program_signals{};  // what main() has blocked

char* stack_of(std::uint32_t index) noexcept {
  return reinterpret_cast<char*>(kFirstStack + index * kStackBytes);
}

void give_turn(Donor& to) noexcept {
  to.turn.store(kRuns, std::memory_order_release);  // [baton]
  raw_syscall(SYS_futex, as_long(&to.turn), FUTEX_WAKE_PRIVATE, 1);
}

void await_turn(Donor& me) noexcept {
  while (me.turn.load(std::memory_order_acquire) == kWaits) {  // [baton]
    raw_syscall(SYS_futex, as_long(&me.turn), FUTEX_WAIT_PRIVATE, kWaits);
  }
  me.turn.store(kWaits, std::memory_order_relaxed);
}

[[noreturn]] void end_system_thread() noexcept {
  for (;;) raw_syscall(SYS_exit, 0);  // past glibc, which has nothing to tidy up
}

void* donate(void* argument) {
  auto& me = *static_cast<Donor*>(argument);
  // What glibc's allocator does for a thread at its first call it has done, or each execution would
  // do it anew, in pages that it would write to for nothing else.
  __libc_free(__libc_malloc(1));
  me.frame.store(static_cast<char*>(__builtin_frame_address(0)) - kRedZone,
                 std::memory_order_release);  // [parked]
  await_turn(me);                             // with fibers, for good
  if (me.context == nullptr) end_system_thread();
  char name[16];
  Line(name, sizeof name).add("T").add(static_cast<std::uint64_t>(&me - donor));
  raw_syscall(SYS_prctl, PR_SET_NAME, as_long(name));
  pthread_sigmask(SIG_SETMASK, &program_signals, nullptr);
  void* forgotten = nullptr;
  thrum_switch(&forgotten, me.context, 0);
  __builtin_unreachable();
}

bool create_donor(std::uint32_t index) noexcept {
  Donor& new_donor = donor[index];
  char* const stack = stack_of(index);
  map_memory(kStackBytes, "the stack of a thread", stack);
  raw_syscall(SYS_mprotect, as_long(stack), kPage, PROT_NONE);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, stack + kPage, kStackBytes - kPage);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int result =
      interpose::real.pthread_create(&new_donor.handle, &attributes, donate, &new_donor);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (result != 0) return false;
  while (new_donor.frame.load(std::memory_order_acquire) == nullptr) {  // [parked]
    raw_syscall(SYS_sched_yield);
  }
  return true;
}

constinit _Unwind_Exception unwinding[kThreads]{};

struct Trace {
  std::uint64_t* out;
  std::uint32_t count, most;
};

_Unwind_Reason_Code take_frame(_Unwind_Context* context, void* argument) {
  auto& trace = *static_cast<Trace*>(argument);
  const std::uint64_t ip = _Unwind_GetIP(context);
  if (ip == 0 || trace.count == trace.most) return _URC_END_OF_STACK;
  if (!is_runtime(ip)) trace.out[trace.count++] = ip;
  return _URC_NO_REASON;
}

_Unwind_Reason_Code at_frame(int, _Unwind_Action actions, _Unwind_Exception_Class,
                             _Unwind_Exception*, _Unwind_Context* context, void*) {
  if ((actions & _UA_END_OF_STACK) != 0 || _Unwind_GetIP(context) == 0) {
    __builtin_longjmp(self().end_jump, 1);
  }
  return _URC_NO_REASON;
}

}  // namespace

bool prepare_donors(std::uint32_t count) noexcept {
  has_wrfsbase = (getauxval(AT_HWCAP2) & 2) != 0;
  switches_in_short = has_wrfsbase && !has_own_threads;
  if (count >= kThreads) count = kThreads - 1;
  // The first last: what belongs to those that most programs need is together, at the heap's end.
  for (std::uint32_t i = count; i >= prepared; --i) {
    if (!create_donor(i)) return false;
  }
  if (count >= prepared) prepared = count + 1;
  return true;
}

std::uint32_t donors() noexcept { return prepared - 1; }

Range donor_state(std::uint32_t index) noexcept {
  const auto frame =
      reinterpret_cast<std::uintptr_t>(donor[index].frame.load(std::memory_order_relaxed));
  // Beside its own frames, which nobody returns to, there is nothing of use in their last page.
  return {reinterpret_cast<char*>((frame + kPage - 1) & ~(kPage - 1)),
          stack_of(index) + kStackBytes};
}

Range donor_memory() noexcept { return {stack_of(0), stack_of(kThreads)}; }

void* make_context(char* top, void (*entry)(void*), void* argument) noexcept {
  const std::uintptr_t aligned = reinterpret_cast<std::uintptr_t>(top) & ~std::uintptr_t{15};
  auto* const words = reinterpret_cast<std::uint64_t*>(aligned) - 10;
  words[0] = 0x1f80 | std::uint64_t{0x037f} << 32;  // mxcsr, x87 control: as a process begins
  words[1] = words[2] = 0;                          // r15, r14
  words[3] = reinterpret_cast<std::uintptr_t>(entry);
  words[4] = reinterpret_cast<std::uintptr_t>(argument);
  words[5] = words[6] = 0;  // rbx, rbp
  words[7] = reinterpret_cast<std::uintptr_t>(&thrum_begin);
  words[8] = words[9] = 0;
  return words;
}

void switch_context(void** from, void* to, std::uint64_t thread_pointer) noexcept {
  if (!has_wrfsbase && thread_pointer != 0) {
    raw_syscall(SYS_arch_prctl, ARCH_SET_FS, static_cast<long>(thread_pointer));
    thread_pointer = 0;
  }
  thrum_switch(from, to, thread_pointer);
}

void make_fiber(Thread& thread, void (*entry)(Thread*)) noexcept {
  Donor& mine = donor[thread.id];
  thread.handle = mine.handle;
  thread.thread_pointer = static_cast<std::uint64_t>(mine.handle);
  thread.stack_pointer = make_context(mine.frame.load(std::memory_order_relaxed),
                                      reinterpret_cast<void (*)(void*)>(entry), &thread);
  mine.context = thread.stack_pointer;
}

void use_own_threads(std::uint32_t needed) noexcept {
  has_own_threads = true;
  switches_in_short = false;
  pthread_sigmask(SIG_SETMASK, nullptr, &program_signals);
  for (std::uint32_t i = std::max(needed, 1U); i < prepared; ++i) {
    give_turn(donor[i]);
    interpose::real.pthread_join(donor[i].handle, nullptr);  // a debugger shows only what is needed
  }
}
bool own_threads() noexcept { return has_own_threads; }

void switch_fiber_at_length(Thread& from, Thread& to) noexcept {
  if (has_own_threads) {
    give_turn(donor[to.id]);
    if (from.finished && from.id != 0) end_system_thread();
    await_turn(donor[from.id]);
    return;
  }
  switch_context(&from.stack_pointer, to.stack_pointer, to.thread_pointer);
}

std::uint32_t take_stack(std::uint64_t* stack, std::uint32_t most) noexcept {
  Trace trace{stack, 0, most};
  const bool on = engine.on;
  engine.on = false;  // libgcc_s uses doors itself
  _Unwind_Backtrace(take_frame, &trace);
  engine.on = on;
  return trace.count;
}

void unwind_thread() noexcept {
  Thread& me = self();
  if (me.cleanups > 0) {  // C, without unwind tables: pthread_cleanup_push
    --me.cleanups;
    siglongjmp(*static_cast<sigjmp_buf*>(me.cleanup[me.cleanups % 16]), 1);
  }
  _Unwind_ForcedUnwind(&unwinding[me.id], at_frame, nullptr);
  __builtin_longjmp(me.end_jump, 1);
}

}  // namespace thrum::check
