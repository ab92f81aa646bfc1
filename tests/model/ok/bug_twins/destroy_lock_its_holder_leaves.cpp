// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/destroy_lock_its_holder_leaves.cpp: the store that frees
// the lock is the last access.
#include <atomic>
#include <thread>

namespace {

class Lock {
 public:
  void acquire() {
    while (held_.exchange(true)) std::this_thread::yield();
  }
  void release() {
    releases_.fetch_add(1);
    held_.store(false);
  }

 private:
  std::atomic<bool> held_{false};
  std::atomic<int> releases_{0};
};

struct Shared {
  Lock lock;
  int users = 2;
};

void leave(Shared* shared) {
  shared->lock.acquire();
  const bool last = --shared->users == 0;
  shared->lock.release();
  if (last) delete shared;
}

}  // namespace

int main() {
  auto* const shared = new Shared;
  std::thread one(leave, shared);
  std::thread two(leave, shared);
  one.join();
  two.join();
}
