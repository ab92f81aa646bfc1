// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/barrier_without_generation.cpp: each round has a number.
#include <condition_variable>
#include <mutex>
#include <thread>

namespace {

std::mutex mutex;
std::condition_variable all_here;
int arrived = 0;
int round_number = 0;

void meet() {
  std::unique_lock lock(mutex);
  const int mine = round_number;
  if (++arrived == 2) {
    arrived = 0;
    ++round_number;
    all_here.notify_all();
  } else {
    all_here.wait(lock, [mine] { return round_number != mine; });
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
