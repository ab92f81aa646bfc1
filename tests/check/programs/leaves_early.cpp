// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Threads end in all ways there are, main() by pthread_exit; the last one fails if it is the first.
#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <thread>

std::atomic<bool> is_ready;

struct Leaving {
  ~Leaving() { is_ready = true; }
};

int main() {
  std::thread([] {
    const Leaving leaving;
    pthread_exit(nullptr);
  }).detach();
  std::thread([] {
    try {
      throw std::runtime_error("caught");
    } catch (const std::runtime_error&) {
      std::this_thread::yield();
      if (!is_ready) std::abort();
    }
  }).detach();
  pthread_exit(nullptr);
}
