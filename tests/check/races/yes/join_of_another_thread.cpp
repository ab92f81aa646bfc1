// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A join orders what the joined thread did, not what another did.
#include <thread>

int data = 0;
int seen = 0;

int main() {
  std::thread writer([] { data = 1; });
  std::thread other([] {});
  other.join();
  seen = data;
  writer.join();
}
