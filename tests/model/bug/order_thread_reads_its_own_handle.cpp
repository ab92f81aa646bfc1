// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: race
// Preemptions: 0
// Class: order violation
//
// The new thread may read the handle before, or while, its creator assigns it.
#include <cstdlib>
#include <thread>

namespace {
std::thread worker;
std::thread::id seen;
}  // namespace

int main() {
  worker = std::thread([] { seen = worker.get_id(); });
  worker.join();
  return seen == std::this_thread::get_id();
}
