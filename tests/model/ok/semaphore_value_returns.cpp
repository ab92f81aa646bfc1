// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// llvm#77659: the number of permits changes and changes back while a thread goes to sleep.
#include <thrum/semaphore.h>

#include <thread>

int main() {
  thrum::Semaphore semaphore(0);
  std::thread waiter([&] { semaphore.acquire(); });
  std::thread taker([&] {
    semaphore.release();
    if (semaphore.acquire(thrum::nonblocking)) semaphore.release();
  });
  taker.join();
  waiter.join();
  return static_cast<int>(semaphore.value());
}
