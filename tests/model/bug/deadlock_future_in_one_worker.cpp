// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: deadlock
// Preemptions: 0
// Class: deadlock
//
// The only worker waits for a job that is queued behind the one it does.
#include <future>
#include <queue>
#include <thread>

int main() {
  std::queue<std::packaged_task<int()>> jobs;
  int result = 0;
  jobs.emplace([&] {
    jobs.emplace([] { return 1; });
    auto inner = jobs.back().get_future();
    return inner.get() + 1;
  });
  auto outer = jobs.front().get_future();
  std::thread worker([&] {
    while (!jobs.empty()) {
      auto job = std::move(jobs.front());
      jobs.pop();
      job();
    }
  });
  result = outer.get();
  worker.join();
  return result == 2 ? 0 : 1;
}
