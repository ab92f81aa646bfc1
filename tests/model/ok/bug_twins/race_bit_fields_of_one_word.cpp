// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/race_bit_fields_of_one_word.cpp: a field of width zero
// parts them.
#include <thread>

namespace {

struct Flags {
  unsigned left : 4;
  unsigned : 0;
  unsigned right : 4;
};

Flags flags{};

}  // namespace

int main() {
  std::thread one([] { flags.left = 1; });
  std::thread two([] { flags.right = 2; });
  one.join();
  two.join();
  return flags.left + flags.right == 3 ? 0 : 1;
}
