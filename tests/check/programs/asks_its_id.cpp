// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cassert>
#include <thread>

int main() {
  std::atomic<long> first{0};
  std::atomic<long> second{0};
  const auto ask = [](std::atomic<long>& id) {
    id = syscall(SYS_gettid);
    assert(id == gettid());
    assert(id != getpid());  // main's
  };
  std::thread one(ask, std::ref(first));
  std::thread other(ask, std::ref(second));
  one.join();
  other.join();
  assert(first != second);
  assert(syscall(SYS_gettid) == getpid());
}
