// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A destructor that requests stop finds the thread before, in or after its wait.
#include <thrum/event.h>
#include <thrum/thread.h>

#include <stop_token>

int main() {
  thrum::Event never;
  thrum::Thread worker([&](std::stop_token stop) { (void)never.wait(stop); });
  worker.start();
}
