// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/order_started_before_configured.cpp: it is set before.
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
  {
    const std::lock_guard guard(mutex);
    workers = 1;
  }
  std::thread worker(work);
  worker.join();
}
