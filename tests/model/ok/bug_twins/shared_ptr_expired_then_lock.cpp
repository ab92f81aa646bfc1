// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/shared_ptr_expired_then_lock.cpp: the locked pointer is
// looked at.
#include <memory>
#include <thread>

int main() {
  auto owner = std::make_shared<int>(1);
  const std::weak_ptr<int> weak = owner;
  int seen = 0;
  std::thread reader([&] {
    if (const auto mine = weak.lock()) seen = *mine;
  });
  std::thread dropper([mine = std::move(owner)]() mutable { mine.reset(); });
  reader.join();
  dropper.join();
  return seen > 1;
}
