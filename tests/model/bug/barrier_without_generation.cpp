// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: lost wake-up
// Preemptions: 0
// Class: barrier
//
// A barrier that counts down and up again: a fast thread enters the next round before a slow one
// has left the last.
#include <condition_variable>
#include <mutex>
#include <thread>

namespace {

std::mutex mutex;
std::condition_variable all_here;
int arrived = 0;

void meet() {
  std::unique_lock lock(mutex);
  if (++arrived == 2) {
    all_here.notify_all();
  } else {
    all_here.wait(lock, [] { return arrived == 2; });
    arrived = 0;
  }
}

void party() {
  meet();
  meet();
}

}  // namespace

int main() {
  std::thread one(party);
  std::thread two(party);
  one.join();
  two.join();
}
