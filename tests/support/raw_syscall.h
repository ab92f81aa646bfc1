// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A system call without libc, for test programs that replace libc's syscall(). Safe wherever that
// is: in signal handlers, before main, from many threads.
#pragma once

#include <cerrno>

namespace thrum::test {

inline long raw_syscall(long number, const long (&a)[6]) noexcept {
#if defined(__x86_64__)
  long result = number;
  register long r10 asm("r10") = a[3];
  register long r8 asm("r8") = a[4];
  register long r9 asm("r9") = a[5];
  asm volatile("syscall"
               : "+a"(result)
               : "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register long result asm("x0") = a[0];
  register long x1 asm("x1") = a[1];
  register long x2 asm("x2") = a[2];
  register long x3 asm("x3") = a[3];
  register long x4 asm("x4") = a[4];
  register long x5 asm("x5") = a[5];
  asm volatile("svc 0"
               : "+r"(result)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
#else
#error "raw_syscall: this processor is not known yet"
#endif
  if (result < 0 && result > -4096) {
    errno = static_cast<int>(-result);
    return -1;
  }
  return result;
}

}  // namespace thrum::test
