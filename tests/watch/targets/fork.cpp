// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// fork [exec PROGRAM ARGUMENT...]: a child with a thread, or that becomes another program. Both
// parent and child say who they are.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <mutex>
#include <thread>

std::mutex before_fork;

int main(int argc, char** argv) {
  {
    const std::lock_guard held(before_fork);
  }
  const pid_t child = fork();
  if (child == 0) {
    if (argc > 2 && std::strcmp(argv[1], "exec") == 0) {
      execv(argv[2], argv + 2);
      return 127;
    }
    std::thread([] { const std::lock_guard held(before_fork); }).join();
    std::printf("child %d\n", getpid());
    std::fflush(stdout);
    _exit(4);
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::printf("parent %d %d\n", getpid(), WEXITSTATUS(status));
  return WEXITSTATUS(status);
}
