// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: work stealing
//
// The owner takes the last item without the exchange that decides between it and a thief.
#include <atomic>
#include <cstdlib>
#include <thread>

namespace {

std::atomic<int> top{0};
std::atomic<int> bottom{1};  // one item
std::atomic<int> taken{0};

void pop() {
  const int last = bottom.load() - 1;
  bottom.store(last);
  if (top.load() <= last) taken.fetch_add(1);
}

void steal() {
  int first = top.load();
  if (first >= bottom.load()) return;
  if (top.compare_exchange_strong(first, first + 1)) taken.fetch_add(1);
}

}  // namespace

int main() {
  std::thread owner(pop);
  std::thread thief(steal);
  owner.join();
  thief.join();
  if (taken.load() > 1) std::abort();
}
