// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: use after free
// Preemptions: 0
// Class: shared_ptr misuse
//
// Two shared_ptr made of one plain pointer have a count each, and both delete it.
#include <memory>
#include <thread>

int main() {
  auto* const value = new int(1);
  const auto use = [](std::shared_ptr<int> mine) { mine.reset(); };
  std::thread one(use, std::shared_ptr<int>(value));
  std::thread two(use, std::shared_ptr<int>(value));
  one.join();
  two.join();
}
