// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// abort() as the last party arrives: all pass, or all find it broken.
#include <thrum/barrier.h>

#include <cstdlib>
#include <thread>

int main() {
  thrum::Barrier barrier(2);
  bool passed = false;
  std::thread party([&] { passed = barrier.wait(thrum::forever).has_value(); });
  std::thread breaker([&] { barrier.abort(); });
  const bool mine = barrier.wait(thrum::forever).has_value();
  party.join();
  breaker.join();
  if (passed != mine || !barrier.broken()) std::abort();
}
