// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/lost_wakeup_thrum_notify_first.cpp: a state is changed
// under the lock, and waited for.
#include <thrum/condition.h>

#include <thread>

int main() {
  thrum::Condition condition;
  bool ready = false;
  std::thread waiter([&] {
    const thrum::Guard guard(condition);
    condition.wait_for([&] { return ready; });
    ready = false;
  });
  {
    const thrum::Guard guard(condition);
    ready = true;
    condition.notify();
  }
  waiter.join();
  return ready ? 1 : 0;
}
