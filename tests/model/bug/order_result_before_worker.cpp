// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: exit status
// Preemptions: 0
// Class: order violation
//
// The result is returned without waiting for who computes it.
#include <atomic>
#include <thread>

int main() {
  std::atomic<bool> done{false};
  std::thread worker([&] { done.store(true); });
  const int status = done.load() ? 0 : 1;
  worker.join();
  return status;
}
