// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: exception
// Preemptions: 0
// Class: semaphore misuse
//
// A thread that was refused a permit releases one all the same, which a thrum::BoundedSemaphore
// refuses.
#include <thrum/semaphore.h>

#include <thread>

int main() {
  thrum::BoundedSemaphore permits(1);
  const auto work = [&] {
    const bool mine = permits.acquire(thrum::nonblocking);
    std::this_thread::yield();
    if (mine || !mine) permits.release();
  };
  std::thread one(work);
  std::thread two(work);
  one.join();
  two.join();
}
