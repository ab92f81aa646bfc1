// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: crash
// Preemptions: 1
// Class: shared_ptr misuse
//
// A weak_ptr that has not expired may have by the time it is locked.
#include <memory>
#include <thread>

int main() {
  auto owner = std::make_shared<int>(1);
  const std::weak_ptr<int> weak = owner;
  int seen = 0;
  std::thread reader([&] {
    if (!weak.expired()) seen = *weak.lock();
  });
  std::thread dropper([mine = std::move(owner)]() mutable { mine.reset(); });
  reader.join();
  dropper.join();
  return seen > 1;
}
