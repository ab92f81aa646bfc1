// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A wait that no library sees, as those inside of libc: the program asks the kernel itself.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <fstream>
#include <string>
#include <thread>

std::atomic<std::uint32_t> word{0};

long futex(long operation, long value) {
  long result = SYS_futex;
  register long none asm("r10") = 0;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(&word), "S"(operation), "d"(value), "r"(none)
               : "rcx", "r11", "memory");
  return result;
}

int main() {
  std::atomic<pid_t> id{0};
  std::thread waiter([&] {
    id.store(gettid());
    while (word.load() == 0) futex(FUTEX_WAIT_PRIVATE, 0);
  });
  std::string call;
  while (call != std::to_string(SYS_futex)) {
    std::ifstream file("/proc/self/task/" + std::to_string(id.load()) + "/syscall");
    file >> call;
  }
  word.store(1);
  futex(FUTEX_WAKE_PRIVATE, 1);
  waiter.join();
}
