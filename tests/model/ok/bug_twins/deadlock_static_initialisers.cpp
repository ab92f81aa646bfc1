// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/deadlock_static_initialisers.cpp: one does not need the
// other.
#include <thread>

namespace {

int second(bool deeper);

int first(bool deeper) {
  static const int value = deeper ? second(false) + 1 : 1;
  return value;
}

int second(bool deeper) {
  static const int value = deeper ? 2 : 1;
  return value;
}

}  // namespace

int main() {
  std::thread one(first, true);
  std::thread two(second, true);
  one.join();
  two.join();
}
