// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: use after free
// Preemptions: 0
// Class: order violation
//
// The buffer is freed before the thread that fills it was joined.
#include <memory>
#include <thread>

int main() {
  auto buffer = std::make_unique<int[]>(4);
  std::thread writer([data = buffer.get()] { data[0] = 1; });
  buffer.reset();
  writer.join();
}
