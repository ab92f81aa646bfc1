// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A thread that comes to no point at which another could run.
#include <thread>

volatile bool is_told = false;

int main() {
  std::thread other([] {
    while (!is_told) {
    }
  });
  other.join();
}
