// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// native_id() waits for a starting thread to know its own, from any thread.
#include <thrum/thread.h>

#include <cstdlib>

int main() {
  thrum::Thread worker([] {});
  worker.start();
  thrum::Thread asks([&] {
    if (worker.native_id() == 0) std::abort();
  });
  asks.start();
  if (worker.native_id() == 0) std::abort();
}
