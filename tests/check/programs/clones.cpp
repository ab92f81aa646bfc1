// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A thread made past pthread.
#include <sched.h>

#include <thread>

static int nothing(void*) { return 0; }

int main() {
  alignas(16) static char stack[65536];
  std::thread other([] {});
  clone(nothing, stack + sizeof stack,
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, nullptr);
  other.join();
}
