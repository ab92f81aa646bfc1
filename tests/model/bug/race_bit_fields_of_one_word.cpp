// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: race
// Preemptions: 0
// Class: data race
//
// Two threads write neighbouring bit fields, which are one memory location.
#include <thread>

namespace {

struct Flags {
  unsigned left : 4;
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
