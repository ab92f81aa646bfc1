// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/livelock_turn_overwritten.cpp: the turn is passed on in
// one step.
#include <atomic>
#include <thread>

int main() {
  std::atomic<int> turns{0};
  const auto play = [&] {
    turns.fetch_add(1);
    while (turns.load() < 2) std::this_thread::yield();
  };
  std::thread one(play);
  std::thread two(play);
  one.join();
  two.join();
}
