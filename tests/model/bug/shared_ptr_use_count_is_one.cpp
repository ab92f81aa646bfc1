// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: race
// Preemptions: 0
// Class: shared_ptr misuse
//
// use_count() orders nothing: who sees 1 and writes races with what the last other owner read.
#include <memory>
#include <thread>

int main() {
  auto text = std::make_shared<int>(1);
  int seen = 0;
  std::thread reader([mine = text, &seen]() mutable {
    seen = *mine;
    mine.reset();
  });
  std::thread writer([mine = std::move(text)]() mutable {
    if (mine.use_count() != 1) mine = std::make_shared<int>(*mine);
    *mine = 2;
  });
  reader.join();
  writer.join();
  return seen == 0;
}
