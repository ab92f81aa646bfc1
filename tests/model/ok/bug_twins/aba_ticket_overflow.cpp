// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/aba_ticket_overflow.cpp: there are more numbers than
// threads.
#include <atomic>
#include <cstdlib>
#include <thread>

namespace {

constexpr unsigned kNumbers = 4;
std::atomic<unsigned> next{0};
std::atomic<unsigned> serving{0};
std::atomic<int> inside{0};

void enter_and_leave() {
  const unsigned mine = next.fetch_add(1) % kNumbers;
  while (serving.load() != mine) std::this_thread::yield();
  if (inside.fetch_add(1) != 0) std::abort();
  inside.fetch_sub(1);
  serving.store((mine + 1) % kNumbers);
}

}  // namespace

int main() {
  std::thread one(enter_and_leave);
  std::thread two(enter_and_leave);
  std::thread three(enter_and_leave);
  one.join();
  two.join();
  three.join();
}
