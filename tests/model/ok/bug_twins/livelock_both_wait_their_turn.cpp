// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/livelock_both_wait_their_turn.cpp: one of them steps back.
#include <atomic>
#include <thread>

int main() {
  std::atomic<bool> wants[2] = {false, false};
  const auto enter = [&](int me) {
    wants[me].store(true);
    while (wants[1 - me].load()) {
      if (me == 1) wants[me].store(false);
      std::this_thread::yield();
      if (me == 1 && !wants[0].load()) wants[me].store(true);
    }
    wants[me].store(false);
  };
  std::thread one(enter, 0);
  std::thread two(enter, 1);
  one.join();
  two.join();
}
