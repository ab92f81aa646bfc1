// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/atomicity_stale_copy_written_back.cpp: read, change and
// write are one critical section.
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>

int main() {
  std::mutex mutex;
  std::set<int> members;
  const auto enter = [&](int who) {
    std::unique_lock lock(mutex);
    std::set<int> copy = members;
    copy.insert(who);
    members = copy;
  };
  std::thread one(enter, 1);
  std::thread two(enter, 2);
  one.join();
  two.join();
  if (members.size() != 2) std::abort();
}
