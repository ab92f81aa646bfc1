// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The exception that left a thread is seen by who joined it.
#include <thrum/thread.h>

#include <cstdlib>
#include <exception>

int main() {
  thrum::threading::set_excepthook([](const thrum::threading::ExceptHookArgs&) {});
  thrum::Thread throws([] { throw 7; });
  throws.start();
  throws.join();
  try {
    std::rethrow_exception(throws.exception());
  } catch (int thrown) {
    return thrown == 7 ? 0 : 1;
  }
}
