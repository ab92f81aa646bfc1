// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/timeout_gives_back_what_it_never_took.cpp: it unlocks only
// what it took.
#include <chrono>
#include <cstdlib>
#include <semaphore>
#include <thread>

int main() {
  std::counting_semaphore<4> permits{1};
  std::thread holder([&] {
    // Not acquire(): libstdc++ 12's can sleep on a permit that is there.
    while (!permits.try_acquire_for(std::chrono::hours(1))) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    permits.release();
  });
  std::thread hasty([&] {
    const bool mine = permits.try_acquire_for(std::chrono::milliseconds(1));
    std::this_thread::yield();
    if (mine) permits.release();
  });
  holder.join();
  hasty.join();
  permits.acquire();
  if (permits.try_acquire()) std::abort();
}
