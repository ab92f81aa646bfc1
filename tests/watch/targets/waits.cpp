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
#include <mutex>
#include <shared_mutex>
#include <thread>

std::mutex lock;
std::condition_variable condition;
bool ready = false;
sem_t semaphore;
std::atomic<int> word{0};
std::shared_mutex shared;
pthread_barrier_t barrier;

void let_go() {
  const auto pause = [] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };
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
