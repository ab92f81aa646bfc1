// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// llvm#46357: a release that finds a permit must wake a sleeper all the same.
#include <thrum/semaphore.h>

#include <thread>

int main() {
  thrum::Semaphore semaphore(0);
  std::thread first([&] { semaphore.acquire(); });
  std::thread second([&] { semaphore.acquire(); });
  semaphore.release();
  semaphore.release();
  first.join();
  second.join();
  return static_cast<int>(semaphore.value());
}
