// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// cpython#90968: a waiter whose time is up is notified before it has the lock again. It reports the
// notification, or the other waiter gets it.
#include <thrum/condition.h>

#include <chrono>
#include <cstdlib>
#include <thread>

int main() {
  thrum::Condition condition;
  int notifications = 0, reported = 0;  // guarded by the condition's lock
  bool done = false;
  std::thread timed([&] {
    const thrum::Guard guard(condition);
    if (!done && condition.wait(std::chrono::microseconds(50))) ++reported;
  });
  std::thread patient([&] {
    const thrum::Guard guard(condition);
    if (!done && condition.wait(thrum::forever)) ++reported;
  });
  {
    const thrum::Guard guard(condition);
    if (condition.waiting() > 0) ++notifications;
    condition.notify();
  }
  timed.join();
  {
    const thrum::Guard guard(condition);
    done = true;
    notifications += static_cast<int>(condition.waiting());
    condition.notify_all();
  }
  patient.join();
  if (reported != notifications) std::abort();
}
