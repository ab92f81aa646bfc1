// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: race
// Preemptions: 0
// Class: destruction race
//
// A detached thread may run while the process destroys its globals.
#include <memory>
#include <thread>

namespace {
std::unique_ptr<int> config = std::make_unique<int>(1);
int seen = 0;
}  // namespace

int main() {
  std::thread worker([] { seen = config != nullptr ? 1 : 2; });
  worker.detach();
  std::this_thread::yield();
  config.reset();
}
