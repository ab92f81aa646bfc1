// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 0
// Class: timeout
//
// try_lock_for() fails, and the caller unlocks all the same what another holds.
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
    if (mine || !mine) permits.release();
  });
  holder.join();
  hasty.join();
  permits.acquire();
  if (permits.try_acquire()) std::abort();
}
