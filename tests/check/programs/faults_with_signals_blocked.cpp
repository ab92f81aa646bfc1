// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// As a library does whose thread is to get no signals; then the thread reads through null in some
// schedules.
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>

std::atomic<int*> value{nullptr};
int number = 0;

void use() {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  if (sigismember(&mask, SIGUSR1) != 1 || sigismember(&mask, SIGSEGV) != 1) std::exit(2);
  *value.load() = 1;
}

int main() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread user(use);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, nullptr, &now);
  if (sigismember(&now, SIGUSR1) != 0) return 3;
  value = &number;
  user.join();
}
