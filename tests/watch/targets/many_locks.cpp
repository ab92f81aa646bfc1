// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// One thread that goes through four hundred locks in turn, each inside of another one, so often as
// the argument says.
#include <array>
#include <cstdlib>
#include <mutex>

int main(int, char** argv) {
  static std::array<std::mutex, 400> locks;
  static std::mutex outside;
  for (int i = std::atoi(argv[1]); i > 0; --i) {
    for (std::mutex& lock : locks) {
      const std::lock_guard outer(outside);
      const std::lock_guard inner(lock);
    }
  }
}
