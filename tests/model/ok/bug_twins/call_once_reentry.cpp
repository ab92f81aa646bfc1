// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/call_once_reentry.cpp: it goes on with what it has.
#include <mutex>
#include <thread>

namespace {

std::once_flag once;
int depth = 0;

void initialise() { ++depth; }

}  // namespace

int main() {
  std::thread thread([] { std::call_once(once, initialise); });
  thread.join();
  return depth == 1 ? 0 : 1;
}
