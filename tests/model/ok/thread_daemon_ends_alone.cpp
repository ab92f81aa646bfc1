// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A daemon that nobody names any more ends while the process does.
#include <thrum/thread.h>

int main() {
  thrum::Thread daemon({.daemon = true}, [] {});
  daemon.start();
}
