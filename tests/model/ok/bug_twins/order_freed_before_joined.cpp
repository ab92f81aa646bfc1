// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/order_freed_before_joined.cpp: the thread is joined first.
#include <memory>
#include <thread>

int main() {
  auto buffer = std::make_unique<int[]>(4);
  std::thread writer([data = buffer.get()] { data[0] = 1; });
  writer.join();
  buffer.reset();
}
