// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// ends HOW: a thread ends in one of the ways there are.
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

namespace {

std::string how;

void* run(void*) {
  pthread_setname_np(pthread_self(), "ender");
  if (how == "exception") throw std::runtime_error("nobody catches this");
  if (how == "exit") pthread_exit(nullptr);
  if (how == "cancel") {
    for (;;) sleep(100);
  }
  if (how == "segv") *static_cast<volatile int*>(nullptr) = 1;  // NOLINT: on purpose
  if (how == "abort") std::abort();
  if (how == "kill") kill(getpid(), SIGKILL);
  if (how == "quick") _exit(5);
  return nullptr;
}

}  // namespace

int main(int, char** argv) {
  how = argv[1];
  pthread_t thread;
  pthread_create(&thread, nullptr, run, nullptr);
  if (how == "cancel") pthread_cancel(thread);
  pthread_join(thread, nullptr);
  return 3;
}
