// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: lost wake-up
// Preemptions: 0
// Class: missed signal
//
// set() and clear() in a row are missed by who begins to wait after them.
#include <thrum/event.h>

#include <thread>

int main() {
  thrum::Event event;
  std::thread waiter([&] { event.wait(); });
  event.set();
  event.clear();
  waiter.join();
}
