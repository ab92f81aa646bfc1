// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// One thread does something again and again until the other has written a flag, so that how long an
// execution is depends on the schedule. With an argument it goes on for ever.
#include <atomic>
#include <thread>

std::atomic<bool> flag{false};
std::atomic<unsigned> asked{0};

int main(int argc, char**) {
  std::thread polling([&] {
    do {
      ++asked;
    } while (!flag.load() || argc > 1);
  });
  flag.store(true);
  polling.join();
}
