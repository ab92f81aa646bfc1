// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The notified thread destroys the condition while the notifier may still release its lock.
#include <thrum/condition.h>

#include <memory>
#include <thread>

int main() {
  auto condition = std::make_unique<thrum::Condition>();
  thrum::Condition* const shared = condition.get();
  bool ready = false;  // guarded by the condition's lock
  std::thread waiter([&] {
    {
      const thrum::Guard guard(*shared);
      shared->wait_for([&] { return ready; });
    }
    condition.reset();
  });
  {
    const thrum::Guard guard(*shared);
    ready = true;
    shared->notify_all();
  }
  waiter.join();
}
