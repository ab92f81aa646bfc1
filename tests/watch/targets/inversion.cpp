// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Two orders of two locks, one after the other: they did not meet. With the argument "gate" a third
// lock keeps them apart for good; with "once" it is one thread that does both.
#include <cstring>
#include <mutex>
#include <thread>

std::mutex accounts, journal, gate;

void pay() {
  const std::lock_guard outer(accounts);
  const std::lock_guard inner(journal);
}
void audit() {
  const std::lock_guard outer(journal);
  const std::lock_guard inner(accounts);
}

int main(int argc, char** argv) {
  const bool gated = argc > 1 && std::strcmp(argv[1], "gate") == 0;
  const bool once = argc > 1 && std::strcmp(argv[1], "once") == 0;
  const auto run = [=](void (*what)()) {
    std::unique_lock outside(gate, std::defer_lock);
    if (gated) outside.lock();
    what();
  };
  if (once) {
    pay();
    audit();
  } else {
    std::thread(run, pay).join();
    std::thread(run, audit).join();
  }
}
