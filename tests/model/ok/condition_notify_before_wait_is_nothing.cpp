// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A notification is not remembered; the predicate is. Nobody sleeps through it.
#include <thrum/condition.h>

#include <thread>

int main() {
  thrum::Lock lock;
  thrum::Condition condition(lock);
  bool ready = false;  // guarded by the lock
  std::thread notifier([&] {
    const thrum::Guard guard(lock);
    ready = true;
    condition.notify();
  });
  {
    const thrum::Guard guard(lock);
    condition.wait_for([&] { return ready; });
  }
  notifier.join();
}
