// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/shared_ptr_two_counts.cpp: the second is a copy of the
// first.
#include <memory>
#include <thread>

int main() {
  auto* const value = new int(1);
  const auto use = [](std::shared_ptr<int> mine) { mine.reset(); };
  const std::shared_ptr<int> owner(value);
  std::thread one(use, owner);
  std::thread two(use, owner);
  one.join();
  two.join();
}
