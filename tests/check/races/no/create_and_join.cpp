// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Before the thread begins, and after it was joined.
#include <thread>

int data = 0;

int main() {
  data = 1;
  std::thread writer([] { ++data; });
  writer.join();
  ++data;
  std::thread another([] { ++data; });
  another.join();
  return data == 4 ? 0 : 1;
}
