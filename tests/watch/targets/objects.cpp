// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Waits of this project's own library, each for an object whose name is known, for at least as many
// milliseconds as the first argument says. A queue holds eight items for so long, then three.
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "thrum/threading.h"

namespace {

struct Bank {
  thrum::Lock accounts;  // no variable of its own: its name is given to it
};

thrum::RLock journal;  // called after its variable
thrum::Semaphore permits(0);
thrum::Event go;
thrum::Condition changed;
bool has_changed = false;

void await_blocked(const thrum::Thread& thread, const char* on) {
  while (thread.text().find(on) == std::string::npos) std::this_thread::yield();
}

}  // namespace

int main(int, char** arguments) {
  const std::chrono::milliseconds time(std::atoi(arguments[1]));
  const auto bank = std::make_unique<Bank>();
  thrum::name_object(&bank->accounts, "accounts");
  thrum::Queue<int> jobs({.maxsize = 8, .name = "jobs"});
  thrum::PriorityQueue<int> results({.name = "results"});

  bank->accounts.acquire();
  journal.acquire();
  for (int i = 0; i < 8; ++i) jobs.put(i);

  thrum::Thread putter({.name = "putter"}, [&] { jobs.put(8); });
  thrum::Thread getter({.name = "getter"}, [&] { (void)results.get(); });
  thrum::Thread locker({.name = "locker"}, [&] { const thrum::Guard guard(bank->accounts); });
  thrum::Thread writer({.name = "writer"}, [&] { const thrum::Guard guard(journal); });
  thrum::Thread taker({.name = "taker"}, [&] { permits.acquire(); });
  thrum::Thread waiter({.name = "waiter"}, [&] { go.wait(); });
  thrum::Thread watcher({.name = "watcher"}, [&] {
    const thrum::Guard guard(changed);
    changed.wait_for([] { return has_changed; });
  });
  thrum::Thread joiner({.name = "joiner"}, [&] { jobs.join(); });
  const auto all = {&putter, &getter, &locker, &writer, &taker, &waiter, &watcher, &joiner};
  for (thrum::Thread* const thread : all) thread->start();
  for (const thrum::Thread* const thread : all) await_blocked(*thread, "blocked");
  std::this_thread::sleep_for(time);

  bank->accounts.release();
  journal.release();
  permits.release();
  go.set();
  {
    const thrum::Guard guard(changed);
    has_changed = true;
    changed.notify();
  }
  results.put(1);
  const auto take = [&](int n) {
    for (int i = 0; i < n; ++i) {
      (void)jobs.get();
      jobs.task_done();
    }
  };
  take(1);
  putter.join();
  take(5);
  std::this_thread::sleep_for(time);  // with three in it
  take(3);
  for (thrum::Thread* const thread : all) thread->join();
}
