// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The waiter that set() freed returns and pops the frame the event is on.
#include <thrum/event.h>

#include <thread>

int main() {
  std::thread worker;
  {
    thrum::Event done;
    worker = std::thread([&done] { done.set(); });
    done.wait();
  }
  worker.join();
}
