// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Reads do not race.
#include <thread>

int data = 1;
int seen[2];

void first() { seen[0] = data; }

void second() { seen[1] = data; }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
