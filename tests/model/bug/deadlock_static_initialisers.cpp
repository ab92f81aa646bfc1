// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: deadlock
// Preemptions: 1
// Class: deadlock
//
// Two static locals, each of which needs the other to be initialised.
#include <thread>

namespace {

int second(bool deeper);

int first(bool deeper) {
  static const int value = deeper ? second(false) + 1 : 1;
  return value;
}

int second(bool deeper) {
  static const int value = deeper ? first(false) + 1 : 1;
  return value;
}

}  // namespace

int main() {
  std::thread one(first, true);
  std::thread two(second, true);
  one.join();
  two.join();
}
