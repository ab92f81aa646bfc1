// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// One thread that waits in each way there is, and is let go by another.
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>

std::mutex lock;
std::condition_variable condition;
bool ready = false;
sem_t semaphore;
std::atomic<int> word{0};
std::shared_mutex shared;
pthread_barrier_t barrier;

std::atomic<int> waiter{0};

bool is_asleep() {
  std::ifstream file("/proc/self/task/" + std::to_string(waiter) + "/stat");
  std::string stat;
  std::getline(file, stat);
  const std::size_t bracket = stat.rfind(") ");
  return bracket != std::string::npos && stat[bracket + 2] == 'S';
}

void let_go() {
  // Long enough to be seen, and until the other one waits, on a busy machine too.
  const auto pause = [] {
    do {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    } while (!is_asleep());
  };
  pause();
  {
    const std::lock_guard held(lock);
    ready = true;
  }
  condition.notify_all();
  pause();
  sem_post(&semaphore);
  pause();
  word.store(1);
  word.notify_all();
  pause();
  shared.unlock();
  pause();
  pthread_barrier_wait(&barrier);
}

int main() {
  pthread_barrier_init(&barrier, nullptr, 2);
  sem_init(&semaphore, 0, 0);
  std::thread([] {
    shared.lock();
    std::thread other([] {
      waiter = gettid();
      {
        std::unique_lock held(lock);
        condition.wait(held, [] { return ready; });
      }
      while (sem_wait(&semaphore) != 0) {
      }
      word.wait(0);
      shared.lock_shared();
      shared.unlock_shared();
      pthread_barrier_wait(&barrier);
    });
    let_go();
    other.join();
  }).join();
}
