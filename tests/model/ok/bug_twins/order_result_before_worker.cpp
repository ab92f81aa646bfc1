// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/order_result_before_worker.cpp: the thread is joined
// first.
#include <atomic>
#include <thread>

int main() {
  std::atomic<bool> done{false};
  std::thread worker([&] { done.store(true); });
  worker.join();
  const int status = done.load() ? 0 : 1;
  return status;
}
