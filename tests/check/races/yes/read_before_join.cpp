// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The creator reads before it joins.
#include <thread>

int data = 0;
int seen = 0;

int main() {
  std::thread writer([] { data = 1; });
  std::this_thread::yield();
  seen = data;
  writer.join();
}
