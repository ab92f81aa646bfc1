// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/semaphore_thrum_bounded.cpp: it releases only what it has.
#include <thrum/semaphore.h>

#include <thread>

int main() {
  thrum::BoundedSemaphore permits(1);
  const auto work = [&] {
    const bool mine = permits.acquire(thrum::nonblocking);
    std::this_thread::yield();
    if (mine) permits.release();
  };
  std::thread one(work);
  std::thread two(work);
  one.join();
  two.join();
}
