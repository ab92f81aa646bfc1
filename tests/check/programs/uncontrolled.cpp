// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Does one thing that no schedule decides, by its argument.
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <thread>

namespace {

void* common_memory() {
  return mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

// Of this process alone.
std::string own_name() { return "/thrum-uncontrolled-" + std::to_string(getpid()); }

template <class Attributes>
void share(int (*init)(Attributes*), int (*set)(Attributes*, int)) {
  Attributes attributes;
  init(&attributes);
  set(&attributes, PTHREAD_PROCESS_SHARED);
}

template <class Spawn>
void spawn_with(Spawn spawn, const char* program) {
  pid_t child = 0;
  char name[] = "true";
  char* const arguments[] = {name, nullptr};
  if (spawn(&child, program, nullptr, nullptr, arguments, environ) == 0) {
    waitpid(child, nullptr, 0);
  }
}

void act(std::string_view what) {
  if (what == "mutex") {
    share(pthread_mutexattr_init, pthread_mutexattr_setpshared);
  } else if (what == "condition") {
    share(pthread_condattr_init, pthread_condattr_setpshared);
  } else if (what == "rwlock") {
    share(pthread_rwlockattr_init, pthread_rwlockattr_setpshared);
  } else if (what == "barrier") {
    share(pthread_barrierattr_init, pthread_barrierattr_setpshared);
  } else if (what == "spin lock") {
    pthread_spinlock_t lock;
    pthread_spin_init(&lock, PTHREAD_PROCESS_SHARED);
  } else if (what == "named semaphore") {
    sem_open(own_name().c_str(), O_CREAT | O_EXCL, 0600, 0);
    sem_unlink(own_name().c_str());
  } else if (what == "named memory") {
    shm_open(own_name().c_str(), O_CREAT | O_EXCL | O_RDWR, 0600);
    shm_unlink(own_name().c_str());
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
  } else if (what == "command") {
    if (std::system("true") != 0) std::exit(2);
  } else if (what == "command's output") {
    pclose(popen("true", "re"));
  } else if (what == "spawned") {
    spawn_with(posix_spawn, "/bin/true");
  } else if (what == "spawned by name") {
    spawn_with(posix_spawnp, "true");
  } else if (what == "alarm") {
    std::signal(SIGALRM, [](int) {});
    alarm(1000);
  } else if (what == "made timer") {
    sigevent event{};
    event.sigev_notify = SIGEV_NONE;
    timer_t timer{};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) timer_delete(timer);
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
