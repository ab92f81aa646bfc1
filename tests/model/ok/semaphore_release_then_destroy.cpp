// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// glibc 12674: who takes the permit destroys the semaphore while release() may still run.
#include <thrum/semaphore.h>

#include <memory>
#include <thread>

int main() {
  auto semaphore = std::make_unique<thrum::Semaphore>(0);
  thrum::Semaphore* const given = semaphore.get();
  std::thread taker([&] {
    semaphore->acquire();
    semaphore.reset();
  });
  given->release();
  taker.join();
}
