// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: atomicity violation
//
// A copy is changed without the lock and written back, over what another thread wrote meanwhile.
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
    lock.unlock();
    copy.insert(who);
    lock.lock();
    members = copy;
  };
  std::thread one(enter, 1);
  std::thread two(enter, 2);
  one.join();
  two.join();
  if (members.size() != 2) std::abort();
}
