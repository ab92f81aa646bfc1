// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A counter by an instruction that no compiler has made a call of, and a system call of that sort.
#include <sys/syscall.h>

#include <thread>

int count;

__attribute__((noinline)) void add_one(int* value) {
  __asm__ volatile("lock incl %0" : "+m"(*value)::"memory");
}
__attribute__((noinline)) long own_number() {
  long result = SYS_gettid;
  __asm__ volatile("syscall" : "+a"(result)::"rcx", "r11", "memory");
  return result;
}

int main() {
  std::thread other([] { add_one(&count); });
  add_one(&count);
  other.join();
  return own_number() > 0 ? 0 : 1;
}
