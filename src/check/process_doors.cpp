// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// How a process begins and ends.
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>

#include "check/doors.h"
#include "check/server.h"
#include "check/snapshot.h"

namespace thrum::check {
namespace {

using Main = int (*)(int, char**, char**);
constinit Main program_main = nullptr;
constinit void* crash_stack = nullptr;

int run_main(int argc, char** argv, char** environment) {
  const int status = program_main(argc, argv, environment);
  if (!controlled()) return status;
  end_process(status);
}

// The name of the type of the exception under way, mangled; null if there is none.
const char* exception_type() noexcept {
  // std::type_info as the C++ ABI has it: its second word points at the name.
  using CurrentException = const char* const* (*)();
  const auto current =
      reinterpret_cast<CurrentException>(dlsym(RTLD_DEFAULT, "__cxa_current_exception_type"));
  const char* const* const type = current != nullptr ? current() : nullptr;
  if (type == nullptr || type[1] == nullptr) return nullptr;
  return type[1] + (type[1][0] == '*' ? 1 : 0);
}

void on_crash(int signal, siginfo_t* info, void* context) {
  const auto* const registers = static_cast<const ucontext_t*>(context)->uc_mcontext.gregs;
  constexpr greg_t kWrites = 2;  // of the processor's error code
  if (signal == SIGSEGV && snapshot_fault(info->si_addr, (registers[REG_ERR] & kWrites) != 0)) {
    return;
  }
  if (!controlled()) {
    ::signal(signal, SIG_DFL);
    return;  // it comes again
  }
  engine.shared->result.address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  finish(Outcome::crash, nullptr, signal, static_cast<Pc>(registers[REG_RIP]) + 1);
}

}  // namespace

void watch_crashes() noexcept {
  constexpr std::size_t kStack = 64U << 10;
  stack_t stack{};
  stack.ss_sp = crash_stack = map_memory(kStack, "the stack of a signal handler");
  stack.ss_size = kStack;
  sigaltstack(&stack, nullptr);
  struct sigaction action{};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigaction(signal, &action, nullptr);
}

bool are_crashes_watched() noexcept {
  struct sigaction action{};
  stack_t stack{};
  raw_syscall(SYS_sigaltstack, 0, as_long(&stack));
  return sigaction(SIGSEGV, nullptr, &action) == 0 && action.sa_sigaction == on_crash &&
         stack.ss_sp == crash_stack;
}

THRUM_DOOR(int, __libc_start_main, Main main, int argc, char** argv, void (*init)(), void (*fini)(),
           void (*loader_fini)(), void* stack_end) {
  using Start = int (*)(Main, int, char**, void (*)(), void (*)(), void (*)(), void*);
  const auto start = reinterpret_cast<Start>(dlsym(RTLD_NEXT, "__libc_start_main"));
  interpose::resolve();
  program_main = main;
  take_control();
  return start(run_main, argc, argv, init, fini, loader_fini, stack_end);
}

THRUM_DOOR(void, exit, int status) {
  if (controlled()) end_process(status);
  libc().exit(status);
  __builtin_unreachable();
}
THRUM_DOOR(void, _exit, int status) {
  if (controlled()) {
    point(Op::process_end, &engine, THRUM_CALLER());
    end_execution(status);
  }
  raw_syscall(SYS_exit_group, status);
  __builtin_unreachable();
}
THRUM_DOOR(void, _Exit, int status) { _exit(status); }
THRUM_DOOR(void, quick_exit, int status) { _exit(status); }

THRUM_DOOR(void, abort, void) {
  if (controlled()) {
    const char* const type = exception_type();
    finish(type != nullptr ? Outcome::exception : Outcome::aborted, type, SIGABRT, THRUM_CALLER());
  }
  libc().abort();
  __builtin_unreachable();
}

THRUM_DOOR(void, __assert_fail, const char* expression, const char* file, unsigned line,
           const char* function) {
  if (controlled()) {
    char text[512];
    Line(text, sizeof text).add(expression).add(", ").add(file).add(":").add(line);
    finish(Outcome::assertion, text, SIGABRT, THRUM_CALLER());
  }
  libc().__assert_fail(expression, file, line, function);
  __builtin_unreachable();
}

THRUM_DOOR(int, clone, int (*function)(void*), void* stack, int flags, void* argument, void* a,
           void* b, void* c) {
  if (controlled()) finish(Outcome::unsupported, "clone", 0, THRUM_CALLER());
  using Clone = int (*)(int (*)(void*), void*, int, void*, void*, void*, void*);
  const auto next = reinterpret_cast<Clone>(dlsym(RTLD_NEXT, "clone"));
  return next(function, stack, flags, argument, a, b, c);
}

// The child goes on by itself, uncontrolled, with the one thread that it has.
THRUM_DOOR(pid_t, fork, void) {
  if (!controlled()) return libc().fork();
  engine.shared->uncontrolled |= kStartsProcesses;
  if (engine.fast) finish(Outcome::kernel_state, "fork");
  if (!engine.started) serve(0);
  const pid_t child = libc().fork();
  if (child == 0) engine.on = false;
  return child;
}

}  // namespace thrum::check
