// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// One waiter may give up as the permit is given; if it does, the other gets it.
#include <thrum/semaphore.h>

#include <chrono>
#include <thread>

int main() {
  thrum::Semaphore semaphore(0);
  std::thread gives_up([&] {
    if (semaphore.acquire(std::chrono::microseconds(50))) semaphore.release();
  });
  std::thread waits([&] { semaphore.acquire(); });
  semaphore.release();
  gives_up.join();
  waits.join();
  return static_cast<int>(semaphore.value());
}
