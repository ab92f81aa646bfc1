// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Right, but for an execution that begins with what another one has written: far from all else, and
// in few schedules only.
#include <atomic>
#include <cassert>
#include <cstdlib>
#include <new>
#include <thread>

std::atomic<int> steps{0};
std::atomic<int> met{0};
alignas(4096) char before[8192];
char rarely = 0;  // in its own page
alignas(4096) char after[8192];
thread_local int lives = 0;

void walk() {
  for (int i = 0; i < 6; ++i) ++steps;
}

void look() {
  assert(rarely == 0);
  // calloc() relies on the kernel for memory that was never given out.
  constexpr std::size_t kLarge = 80U << 20;
  auto* const fresh = static_cast<char*>(std::calloc(1, kLarge));
  assert(fresh != nullptr && fresh[kLarge - 1] == 0);
  const int seen = steps.load();
  const int then = steps.load();
  if (seen == 2 && then == 5 && steps.load() == 5) {
    rarely = 1;
    fresh[kLarge - 1] = 1;
    met = 1;
  }
  std::free(fresh);
  // A thread that is there in some schedules only: so is its memory.
  if (seen == 3) std::thread([] { assert(++lives == 1); }).join();
}

int main() {
  std::thread walker(walk);
  std::thread looker(look);
  walker.join();
  looker.join();
  before[0] = after[0] = 0;
}
