// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Does one thing that no schedule decides, by its argument.
#include <linux/futex.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <thread>

namespace {

void* common_memory() {
  return mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

void act(std::string_view what) {
  if (what == "mutex") {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  } else if (what == "semaphore" || what == "own semaphore") {
    sem_t semaphore;
    sem_init(&semaphore, what == "semaphore" ? 1 : 0, 0);
  } else if (what == "futex" || what == "own futex") {
    static int own = 0;
    void* const word = what == "futex" ? common_memory() : &own;
    syscall(SYS_futex, word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  } else if (what == "network") {
    close(socket(AF_INET, SOCK_STREAM, 0));
  } else if (what == "process") {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, nullptr, 0);
  } else if (what == "timer") {
    std::signal(SIGALRM, [](int) {});
    const itimerval time{{0, 0}, {1000, 0}};
    setitimer(ITIMER_REAL, &time, nullptr);
  }
}

}  // namespace

int main(int, char** arguments) {
  std::atomic<int> count{0};
  std::thread other([&] {
    ++count;
    act(arguments[1]);
  });
  ++count;
  other.join();
  return count == 2 ? 0 : 1;
}
