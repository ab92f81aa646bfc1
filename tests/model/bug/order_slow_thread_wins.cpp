// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: exit status
// Preemptions: 1
// Class: order violation
//
// A late result overwrites the newer one: the generation is compared, but not in the same step.
#include <atomic>
#include <thread>

int main() {
  std::atomic<int> newest{0};
  const auto offer = [&](int generation) {
    if (newest.load() < generation) newest.store(generation);
  };
  std::thread older(offer, 1);
  std::thread newer(offer, 2);
  older.join();
  newer.join();
  return newest.load() == 2 ? 0 : 1;
}
