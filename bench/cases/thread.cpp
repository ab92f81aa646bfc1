// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/thread.h"

#include <pthread.h>

#include <thread>
#include <vector>

#include "cases/cases.h"
#include "shapes.h"
#include "thrum/group.h"

namespace bench {
namespace {

struct Nothing {};
constexpr int kMany = 64;

template <class Thread>
Run start_join_many() {
  return alone<Nothing>([](Nothing&) {
    std::vector<Thread> threads;
    threads.reserve(kMany);
    for (int i = 0; i < kMany; ++i) threads.emplace_back([] {});
    for (Thread& thread : threads) thread.join();
  });
}

template <class Thread>
Run start_join() {
  return alone<Nothing>([](Nothing&) {
    Thread thread([] {});
    thread.join();
  });
}

}  // namespace

void add_thread_cases(Cases& cases) {
  cases.push_back({.name = "thread/start-join",
                   .operation = "thread that returns at once",
                   .contenders = {{"floor: pthread_create + join", alone<Nothing>([](Nothing&) {
                                     pthread_t thread{};
                                     const auto body = [](void*) -> void* { return nullptr; };
                                     require(pthread_create(&thread, nullptr, body, nullptr) == 0,
                                             "pthread_create");
                                     (void)pthread_join(thread, nullptr);
                                   })},
                                  {"thrum::Thread", alone<Nothing>([](Nothing&) {
                                     thrum::Thread thread([] {});
                                     thread.start();
                                     thread.join();
                                   })},
                                  {"std::thread", start_join<std::thread>()},
                                  {"std::jthread", start_join<std::jthread>()}},
                   .promises = {{"std", 1.1}}});
  cases.push_back({.name = "thread/group",
                   .operation = "64 threads started, then joined",
                   .contenders = {{"thrum::Group", alone<Nothing>([](Nothing&) {
                                     thrum::Group group;
                                     for (int i = 0; i < kMany; ++i) group.start([] {});
                                     group.join();
                                   })},
                                  {"std::thread", start_join_many<std::thread>()},
                                  {"std::jthread", start_join_many<std::jthread>()}}});
}

}  // namespace bench
