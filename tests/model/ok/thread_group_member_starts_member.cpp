// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A group's join() waits for a member that a member started.
#include <thrum/group.h>

#include <cstdlib>

int main() {
  int data = 0;
  thrum::Group group;
  group.start([&] { group.start([&] { data = 1; }); });
  group.join();
  if (data != 1 || group.active_count() != 0) std::abort();
}
