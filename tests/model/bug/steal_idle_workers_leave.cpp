// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: work stealing
//
// A worker leaves because it sees no jobs, while another is about to push the one it popped in two
// halves.
#include <atomic>
#include <cstdlib>
#include <thread>

namespace {

std::atomic<int> pending{1};
std::atomic<int> split{0};
std::atomic<int> left_early{0};

void split_job() {
  pending.fetch_sub(1);
  pending.fetch_add(2);
  split.store(1);
}

void helper() {
  if (pending.load() == 0 && split.load() == 0) left_early.store(1);
}

}  // namespace

int main() {
  std::thread worker(split_job);
  std::thread other(helper);
  worker.join();
  other.join();
  if (left_early.load() != 0) std::abort();
}
