// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: order violation
//
// The number of workers is read by the workers, and set after they are started.
#include <cstdlib>
#include <mutex>
#include <thread>

int main() {
  std::mutex mutex;
  int workers = 0;
  const auto work = [&] {
    const std::lock_guard guard(mutex);
    if (workers != 1) std::abort();
  };
  std::thread worker(work);
  {
    const std::lock_guard guard(mutex);
    workers = 1;
  }
  worker.join();
}
