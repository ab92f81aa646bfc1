// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Two threads let each other go as often as they can, so that recording it costs much beside what
// they do. A third waits for 50 ms, ten times, and then until the end.
#include <semaphore.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace {

sem_t ping, pong;
std::mutex mutex;
std::condition_variable seldom;

}  // namespace

int main() {
  sem_init(&ping, 0, 0);
  sem_init(&pong, 0, 0);
  std::thread([] {
    for (;;) {
      sem_wait(&ping);
      sem_post(&pong);
    }
  }).detach();
  std::thread([] {
    for (;;) {
      sem_post(&ping);
      sem_wait(&pong);
    }
  }).detach();
  std::atomic<bool> waits_for_ever = false;
  std::thread([&] {
    std::unique_lock lock(mutex);
    for (int i = 0; i < 10; ++i) seldom.wait_for(lock, std::chrono::milliseconds(50));
    waits_for_ever = true;
    seldom.wait(lock);
  }).detach();
  while (!waits_for_ever) std::this_thread::yield();
  // It gives up the mutex when it sleeps.
  {
    const std::lock_guard lock(mutex);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  std::_Exit(0);
}
