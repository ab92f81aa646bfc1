// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/thread.h"

#include <fmt/format.h>
#include <pthread.h>

#include <thread>
#include <vector>

#include "cases/cases.h"
#include "peers/foreign.h"
#include "shapes.h"
#include "thrum/group.h"

#ifdef BENCH_BOOST
#include <boost/thread/thread.hpp>
#endif

namespace bench {
namespace {

struct Nothing {};

template <class Start>
Run again(Start start) {
  return alone<Nothing>([start](Nothing&) { start(); });
}

// Starts so many threads, then joins them.
template <class Thread>
Run start_join(std::size_t threads) {
  return again([=] {
    std::vector<Thread> running;
    running.reserve(threads);
    for (std::size_t i = 0; i < threads; ++i) running.emplace_back([] {});
    for (Thread& thread : running) thread.join();
  });
}

class PthreadThread {
 public:
  template <class Target>
  explicit PthreadThread(Target) {
    const auto body = [](void*) -> void* { return nullptr; };
    require(pthread_create(&thread_, nullptr, body, nullptr) == 0, "pthread_create");
  }
  void join() const { (void)pthread_join(thread_, nullptr); }

 private:
  pthread_t thread_{};
};

Run group(std::size_t threads) {
  return again([=] {
    thrum::Group group;
    for (std::size_t i = 0; i < threads; ++i) group.start([] {});
    group.join();
  });
}

Run one_thread() {
  return again([] {
    thrum::Thread thread([] {});
    thread.start();
    thread.join();
  });
}

}  // namespace

void add_thread_cases(Cases& cases) {
  for (const std::size_t threads : {1u, 64u, 1000u}) {
    const bool single = threads == 1;
    const auto make = [&]<class Thread>() { return start_join<Thread>(threads); };
    Case starts{.name = single ? "thread/start-join" : fmt::format("thread/group={}", threads),
                .operation =
                    single ? "thread that returns at once" : "thread of those started, then joined",
                .contenders = {by<PthreadThread>("floor: pthread_create + join", make),
                               {single ? "thrum::Thread" : "thrum::Group",
                                single ? one_thread() : group(threads),
                                single ? sizeof(thrum::Thread) : sizeof(thrum::Group)},
                               by<std::thread>("std::thread", make),
                               by<std::jthread>("std::jthread", make)},
                .batch = threads};
#ifdef BENCH_BOOST
    starts.contenders.push_back(by<boost::thread>("boost::thread", make));
#endif
    add_foreign(starts.contenders, "rust", "Rust std::thread", fmt::format("threads {}", threads));
    add_foreign(starts.contenders, "go", "Go goroutine", fmt::format("threads {}", threads));
    if (single) starts.promises = {{"std", 1.1}};
    cases.push_back(std::move(starts));
  }
}

}  // namespace bench
