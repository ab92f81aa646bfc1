// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What a thread did is seen by who joined it, also by the second who joins.
#include <thrum/thread.h>

#include <cstdlib>

int main() {
  int data = 0;
  thrum::Thread writer([&] { data = 1; });
  writer.start();
  thrum::Thread reader([&] {
    writer.join();
    if (data != 1) std::abort();
  });
  reader.start();
  writer.join();
  if (data != 1) std::abort();
  reader.join();
}
