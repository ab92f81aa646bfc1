// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// set() is remembered wherever the waiter is, and what was written before it is seen.
#include <thrum/event.h>

#include <cstdlib>
#include <thread>

int main() {
  thrum::Event event;
  int data = 0;
  std::thread setter([&] {
    data = 1;
    event.set();
  });
  event.wait();
  if (data != 1) std::abort();
  setter.join();
}
