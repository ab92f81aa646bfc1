// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Two orders of two locks, one after the other: they did not meet. With the argument "gate" a third
// lock keeps them apart for good; with "once" it is one thread that does both; with "try" nobody
// waits for the second lock: std::scoped_lock lets the first go instead.
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

void pay_by_trial() { const std::scoped_lock both(accounts, journal); }
void audit_by_trial() { const std::scoped_lock both(journal, accounts); }

int main(int argc, char** argv) {
  const bool gated = argc > 1 && std::strcmp(argv[1], "gate") == 0;
  const bool once = argc > 1 && std::strcmp(argv[1], "once") == 0;
  const auto run = [=](void (*what)()) {
    std::unique_lock outside(gate, std::defer_lock);
    if (gated) outside.lock();
    what();
  };
  if (argc > 1 && std::strcmp(argv[1], "try") == 0) {
    std::thread(pay_by_trial).join();
    std::thread(audit_by_trial).join();
  } else if (once) {
    pay();
    audit();
  } else {
    std::thread(run, pay).join();
    std::thread(run, audit).join();
  }
}
