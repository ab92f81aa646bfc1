// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Calls that leave something behind in the kernel, or read what is there: an execution that makes
// one cannot be put back in place, and is made in a fork instead.
#include <dlfcn.h>

#include "check/engine.h"

namespace thrum::check {
namespace {

using Function = long (*)(long, long, long, long, long, long);

Function enter(Function& known, const char* name) noexcept {
  if (engine.on && engine.fast) finish(Outcome::kernel_state, name);
  if (known == nullptr) known = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
  return known;
}

}  // namespace

// Integers and pointers are passed in the same registers whatever a function's type says.
#define THRUM_KERNEL_DOOR(name)                                                       \
  extern "C" __attribute__((visibility("default"))) long thrum_door_##name(           \
      long, long, long, long, long, long) __asm__(#name);                             \
  extern "C" long thrum_door_##name(long a, long b, long c, long d, long e, long f) { \
    static constinit Function known = nullptr;                                        \
    return enter(known, #name)(a, b, c, d, e, f);                                     \
  }

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
THRUM_KERNEL_DOOR(socket)
THRUM_KERNEL_DOOR(socketpair)
THRUM_KERNEL_DOOR(accept)
THRUM_KERNEL_DOOR(accept4)
THRUM_KERNEL_DOOR(recv)
THRUM_KERNEL_DOOR(mremap)
THRUM_KERNEL_DOOR(mprotect)
THRUM_KERNEL_DOOR(shm_open)
THRUM_KERNEL_DOOR(sem_open)
THRUM_KERNEL_DOOR(system)
THRUM_KERNEL_DOOR(popen)
THRUM_KERNEL_DOOR(posix_spawn)
THRUM_KERNEL_DOOR(posix_spawnp)
THRUM_KERNEL_DOOR(timer_create)
THRUM_KERNEL_DOOR(setitimer)
THRUM_KERNEL_DOOR(alarm)
THRUM_KERNEL_DOOR(chdir)

}  // namespace thrum::check
