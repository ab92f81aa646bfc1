// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: lost wake-up
// Preemptions: 2
// Class: lost wake-up
//
// The sleeper says that it sleeps only after it looked for work, so that who brings work wakes
// nobody.
#include <atomic>
#include <thread>

int main() {
  std::atomic<int> work{0};
  std::atomic<bool> sleeping{false};
  std::thread worker([&] {
    while (work.load() == 0) {
      sleeping.store(true);
      sleeping.wait(true);
    }
  });
  work.store(1);
  if (sleeping.exchange(false)) sleeping.notify_one();
  worker.join();
}
