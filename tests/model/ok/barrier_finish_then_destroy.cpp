// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A party that passed destroys the barrier while the last to arrive may still be in wait().
#include <thrum/barrier.h>

#include <memory>
#include <thread>

int main() {
  auto barrier = std::make_unique<thrum::Barrier>(2);
  thrum::Barrier* const shared = barrier.get();
  const auto party = [&] {
    if (shared->wait() == 0) barrier.reset();
  };
  std::thread other(party);
  party();
  other.join();
}
