// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: race
// Preemptions: 0
// Class: shared_ptr misuse
//
// The counts of a shared_ptr are atomic, the pointer itself is not: one thread copies it, the
// other assigns it.
#include <memory>
#include <thread>

int main() {
  auto current = std::make_shared<int>(1);
  int seen = 0;
  std::thread reader([&] {
    const std::shared_ptr<int> mine = current;
    seen = *mine;
  });
  std::thread writer([&] {
    auto newer = std::make_shared<int>(2);
    current = newer;
  });
  reader.join();
  writer.join();
  return seen == 0;
}
