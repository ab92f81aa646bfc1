// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The first failure asks the rest to stop, and join() rethrows it when all have ended.
#include <thrum/event.h>
#include <thrum/group.h>

#include <cstdlib>
#include <stop_token>

int main() {
  bool stopped = false;
  thrum::Group group;
  group.start([&](std::stop_token stop) {
    thrum::Event never;
    stopped = !never.wait(stop);
  });
  group.start([] { throw 7; });
  try {
    group.join();
  } catch (int) {
    return stopped ? 0 : 1;
  }
  std::abort();
}
