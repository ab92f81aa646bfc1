// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: livelock
// Preemptions: 1
// Class: livelock
//
// Who passes the turn on writes it in two steps, and so may take back what the other has passed on
// meanwhile.
#include <atomic>
#include <thread>

int main() {
  std::atomic<int> turns{0};
  const auto play = [&] {
    const int before = turns.load();
    turns.store(before + 1);
    while (turns.load() < 2) std::this_thread::yield();
  };
  std::thread one(play);
  std::thread two(play);
  one.join();
  two.join();
}
