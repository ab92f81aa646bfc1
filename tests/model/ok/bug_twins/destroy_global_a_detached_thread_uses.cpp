// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/destroy_global_a_detached_thread_uses.cpp: the thread is
// joined.
#include <memory>
#include <thread>

namespace {
std::unique_ptr<int> config = std::make_unique<int>(1);
int seen = 0;
}  // namespace

int main() {
  std::thread worker([] { seen = config != nullptr ? 1 : 2; });
  worker.join();
  config.reset();
}
