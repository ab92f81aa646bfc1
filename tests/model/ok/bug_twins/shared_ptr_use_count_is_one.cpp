// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/shared_ptr_use_count_is_one.cpp: the copy is made always.
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
    mine = std::make_shared<int>(*mine);
    *mine = 2;
  });
  reader.join();
  writer.join();
  return seen == 0;
}
