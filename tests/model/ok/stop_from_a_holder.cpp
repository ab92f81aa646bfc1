// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// microsoft/STL#2218: stop is requested by a thread that holds the lock the waiter needs to return.
#include <thrum/condition.h>

#include <cstdlib>
#include <stop_token>
#include <thread>

int main() {
  thrum::Lock lock;
  thrum::Condition condition(lock);
  std::stop_source source;
  std::thread waiter([&] {
    const thrum::Guard guard(lock);
    if (condition.wait(source.get_token())) std::abort();
  });
  {
    const thrum::Guard guard(lock);
    source.request_stop();
  }
  waiter.join();
}
