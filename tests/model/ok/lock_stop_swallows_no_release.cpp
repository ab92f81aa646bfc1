// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// As with a time-out, with a stop token: wake and stop may hit one waiter together.
#include <thrum/lock.h>

#include <stop_token>
#include <thread>

int main() {
  thrum::Lock lock;
  std::stop_source source;
  lock.acquire();
  std::thread gives_up([&] {
    if (lock.acquire(source.get_token())) lock.release();
  });
  std::thread waits([&] { const thrum::Guard guard(lock); });
  std::thread stops([&] { source.request_stop(); });
  lock.release();
  gives_up.join();
  waits.join();
  stops.join();
  return lock.locked() ? 1 : 0;
}
