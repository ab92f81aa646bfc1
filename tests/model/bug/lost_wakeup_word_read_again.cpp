// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: lost wake-up
// Preemptions: 2
// Class: lost wake-up
//
// The word to sleep on is read after the state was found wanting: the change between is slept
// over.
#include <atomic>
#include <thread>

int main() {
  std::atomic<unsigned> epoch{0};
  std::atomic<bool> ready{false};
  std::thread waiter([&] {
    for (;;) {
      if (ready.load()) return;
      const unsigned seen = epoch.load();
      epoch.wait(seen);
    }
  });
  ready.store(true);
  epoch.fetch_add(1);
  epoch.notify_all();
  waiter.join();
}
