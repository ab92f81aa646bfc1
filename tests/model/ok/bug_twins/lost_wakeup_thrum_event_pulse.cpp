// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/lost_wakeup_thrum_event_pulse.cpp: the event stays set.
#include <thrum/event.h>

#include <thread>

int main() {
  thrum::Event event;
  std::thread waiter([&] { event.wait(); });
  event.set();
  waiter.join();
}
