// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A join that gives up as the thread ends harms neither the thread nor the next join.
#include <thrum/thread.h>

#include <cstdlib>

int main() {
  int data = 0;
  thrum::Thread worker([&] { data = 1; });
  worker.start();
  if (worker.join(thrum::nonblocking)) {
    if (data != 1 || worker.is_alive()) std::abort();
  }
  if (!worker.join(thrum::forever) || data != 1 || worker.is_alive()) std::abort();
}
