// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Calls that leave something behind in the kernel, or read what is there: an execution that makes
// one cannot be put back in place, and is made in a fork instead. Some bring in what no schedule
// decides: that is noted.
#include <dlfcn.h>
#include <sys/socket.h>

#include "check/engine.h"

namespace thrum::check {
namespace {

using Function = long (*)(long, long, long, long, long, long);

Function enter(Function& known, const char* name, Uncontrolled what, bool lasts) noexcept {
  if (engine.on) engine.shared->uncontrolled |= what;
  if (engine.on && engine.fast && lasts) finish(Outcome::kernel_state, name);
  if (known == nullptr) known = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
  return known;
}

// Only the lower half of an int's register is certain.
constexpr Uncontrolled shared_if(long is_shared) noexcept {
  return static_cast<int>(is_shared) != 0 ? kSharesWithProcesses : 0;
}

}  // namespace

// Integers and pointers are passed in the same registers whatever a function's type says.
#define THRUM_NOTED_DOOR(name, uncontrolled, lasts)                                   \
  extern "C" __attribute__((visibility("default"))) long thrum_door_##name(           \
      long, long, long, long, long, long) __asm__(#name);                             \
  extern "C" long thrum_door_##name(long a, long b, long c, long d, long e, long f) { \
    static constinit Function known = nullptr;                                        \
    return enter(known, #name, uncontrolled, lasts)(a, b, c, d, e, f);                \
  }
#define THRUM_KERNEL_DOOR(name) THRUM_NOTED_DOOR(name, 0, true)

THRUM_KERNEL_DOOR(open)
THRUM_KERNEL_DOOR(open64)
THRUM_KERNEL_DOOR(openat)
THRUM_KERNEL_DOOR(openat64)
THRUM_KERNEL_DOOR(creat)
THRUM_KERNEL_DOOR(fopen)
THRUM_KERNEL_DOOR(fopen64)
THRUM_KERNEL_DOOR(freopen)
THRUM_KERNEL_DOOR(fdopen)
THRUM_KERNEL_DOOR(tmpfile)
THRUM_KERNEL_DOOR(mkstemp)
THRUM_KERNEL_DOOR(opendir)
THRUM_KERNEL_DOOR(close)
THRUM_KERNEL_DOOR(read)
THRUM_KERNEL_DOOR(pread)
THRUM_KERNEL_DOOR(lseek)
THRUM_KERNEL_DOOR(unlink)
THRUM_KERNEL_DOOR(mkdir)
THRUM_KERNEL_DOOR(dup)
THRUM_KERNEL_DOOR(dup2)
THRUM_KERNEL_DOOR(dup3)
THRUM_KERNEL_DOOR(pipe)
THRUM_KERNEL_DOOR(pipe2)
THRUM_KERNEL_DOOR(eventfd)
THRUM_KERNEL_DOOR(signalfd)
THRUM_KERNEL_DOOR(timerfd_create)
THRUM_KERNEL_DOOR(epoll_create)
THRUM_KERNEL_DOOR(epoll_create1)
THRUM_KERNEL_DOOR(inotify_init)
THRUM_KERNEL_DOOR(memfd_create)
THRUM_NOTED_DOOR(socket, a == AF_INET || a == AF_INET6 ? kUsesNetwork : 0, true)
THRUM_KERNEL_DOOR(socketpair)
THRUM_KERNEL_DOOR(accept)
THRUM_KERNEL_DOOR(accept4)
THRUM_KERNEL_DOOR(recv)
THRUM_KERNEL_DOOR(mremap)
THRUM_KERNEL_DOOR(mprotect)
THRUM_NOTED_DOOR(shm_open, kSharesWithProcesses, true)
THRUM_NOTED_DOOR(sem_open, kSharesWithProcesses, true)
THRUM_NOTED_DOOR(system, kStartsProcesses, true)
THRUM_NOTED_DOOR(popen, kStartsProcesses, true)
THRUM_NOTED_DOOR(posix_spawn, kStartsProcesses, true)
THRUM_NOTED_DOOR(posix_spawnp, kStartsProcesses, true)
THRUM_NOTED_DOOR(timer_create, kHasTimers, true)
THRUM_NOTED_DOOR(setitimer, kHasTimers, true)
THRUM_NOTED_DOOR(alarm, kHasTimers, true)
THRUM_KERNEL_DOOR(chdir)

// Locks of several processes. The second argument says so, of a spin lock as well.
#define THRUM_SHARING_DOOR(name) THRUM_NOTED_DOOR(name, shared_if(b), false)
THRUM_SHARING_DOOR(pthread_mutexattr_setpshared)
THRUM_SHARING_DOOR(pthread_condattr_setpshared)
THRUM_SHARING_DOOR(pthread_rwlockattr_setpshared)
THRUM_SHARING_DOOR(pthread_barrierattr_setpshared)
THRUM_SHARING_DOOR(pthread_spin_init)
THRUM_SHARING_DOOR(sem_init)

}  // namespace thrum::check
