// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: use after free
// Preemptions: 0
// Class: atomicity violation
//
// Each gives its reference up in one step and looks in another whether it was the last: both free.
#include <atomic>
#include <memory>
#include <thread>

namespace {

struct Shared {
  std::atomic<int> references{2};
  int value = 1;
};

void drop(Shared* shared) {
  shared->references.fetch_sub(1);
  if (shared->references.load() == 0) delete shared;
}

}  // namespace

int main() {
  auto* const shared = new Shared;
  std::thread one(drop, shared);
  std::thread two(drop, shared);
  one.join();
  two.join();
}
