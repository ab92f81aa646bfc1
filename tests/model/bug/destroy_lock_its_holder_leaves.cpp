// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: use after free
// Preemptions: 1
// Class: destruction race
//
// release() of a spin lock touches it after it is free: the next holder frees the object that it
// is in.
#include <atomic>
#include <thread>

namespace {

class Lock {
 public:
  void acquire() {
    while (held_.exchange(true)) std::this_thread::yield();
  }
  void release() {
    held_.store(false);
    releases_.fetch_add(1);
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
