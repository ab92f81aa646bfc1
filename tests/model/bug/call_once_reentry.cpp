// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: deadlock
// Preemptions: 0
// Class: call_once
//
// The function that runs once calls for itself to have run.
#include <mutex>
#include <thread>

namespace {

std::once_flag once;
int depth = 0;

void initialise() {
  if (++depth == 1) std::call_once(once, initialise);
}

}  // namespace

int main() {
  std::thread thread([] { std::call_once(once, initialise); });
  thread.join();
  return depth == 1 ? 0 : 1;
}
