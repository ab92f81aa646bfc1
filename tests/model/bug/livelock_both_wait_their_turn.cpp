// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: livelock
// Preemptions: 1
// Class: livelock
//
// Each raises its flag, and spins until the other lowers its own.
#include <atomic>
#include <thread>

int main() {
  std::atomic<bool> wants[2] = {false, false};
  const auto enter = [&](int me) {
    wants[me].store(true);
    while (wants[1 - me].load()) std::this_thread::yield();
    wants[me].store(false);
  };
  std::thread one(enter, 0);
  std::thread two(enter, 1);
  one.join();
  two.join();
}
