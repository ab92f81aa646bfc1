// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/atomicity_last_reference.cpp: who takes the count to zero
// frees.
#include <atomic>
#include <memory>
#include <thread>

namespace {

struct Shared {
  std::atomic<int> references{2};
  int value = 1;
};

void drop(Shared* shared) {
  if (shared->references.fetch_sub(1) == 1) delete shared;
}

}  // namespace

int main() {
  auto* const shared = new Shared;
  std::thread one(drop, shared);
  std::thread two(drop, shared);
  one.join();
  two.join();
}
