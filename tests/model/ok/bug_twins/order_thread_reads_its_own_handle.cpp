// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/order_thread_reads_its_own_handle.cpp: it asks the system
// who it is.
#include <cstdlib>
#include <thread>

namespace {
std::thread worker;
std::thread::id seen;
}  // namespace

int main() {
  worker = std::thread([] { seen = std::this_thread::get_id(); });
  worker.join();
  return seen == std::this_thread::get_id();
}
