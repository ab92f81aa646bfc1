// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <thread>
#include <vector>

#include "account.h"

#ifndef WRONG
#define WRONG 0
#endif

int main(int argc, char** argv) {
  Account account;
  std::vector<std::thread> threads;
  for (int i = 0; i < (argc > 1 ? std::atoi(argv[1]) : 0); ++i) {
    threads.emplace_back([&] { WRONG != 0 ? account.deposit_badly() : account.deposit(); });
  }
  for (std::thread& thread : threads) thread.join();
  if (account.balance() != 2) std::abort();
}
