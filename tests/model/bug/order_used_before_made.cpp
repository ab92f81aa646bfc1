// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: crash
// Preemptions: 1
// Class: order violation
//
// The thread is started before the pointer that it follows is set.
#include <atomic>
#include <cstdlib>
#include <thread>

namespace {
std::atomic<int*> config{nullptr};
}

int main() {
  int value = 7;
  std::thread worker([] {
    if (*config.load() != 7) std::abort();
  });
  config.store(&value);
  worker.join();
}
