// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What one thread frees another gets: the accesses before and after have nothing to do with each
// other.
#include <cstdlib>
#include <thread>

void use() {
  for (int i = 0; i < 20; ++i) {
    auto* const mine = static_cast<volatile int*>(std::malloc(40));
    if (mine == nullptr) return;
    mine[0] = i;
    mine[9] = i;
    std::free(const_cast<int*>(mine));
  }
}

void first() { use(); }

void second() { use(); }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
