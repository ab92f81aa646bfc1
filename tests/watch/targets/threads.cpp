// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// threads N: so many threads, one after the other and some at once.
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

int main(int, char** argv) {
  int left = std::atoi(argv[1]);
  while (left > 0) {
    std::vector<std::thread> some;
    for (int i = 0; i < 16 && left > 0; ++i, --left) some.emplace_back([] {});
    for (std::thread& one : some) one.join();
  }
  std::puts("all");
}
