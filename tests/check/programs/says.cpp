// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Two campaigns. The second fails for one choice of eight, unless that one is assumed away.
#include <thrum/check.h>

#include <cassert>
#include <cstring>
#include <thread>

int main(int argc, char** argv) {
  const bool assumes = argc > 1 && std::strcmp(argv[1], "assume") == 0;
  thrum::check::explore([] {
    int inside = 0;
    const auto enter = [&] { thrum::check::atomic_block([&] { ++inside; }); };
    std::thread other([] {});
    enter();
    other.join();
    assert(inside == 1);
  });
  thrum::check::explore([assumes] {
    std::thread other([assumes] {
      const unsigned chosen = thrum::check::choose(8);
      thrum::check::assume(!assumes || chosen != 5);
      if (chosen == 5) thrum::check::note("the fifth it is");
      assert(chosen != 5);
    });
    other.join();
  });
}
