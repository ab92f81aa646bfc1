// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/deadlock_future_in_one_worker.cpp: the job is done in
// place.
#include <future>
#include <queue>
#include <thread>

int main() {
  std::queue<std::packaged_task<int()>> jobs;
  int result = 0;
  jobs.emplace([&] {
    const auto inner = [] { return 1; };
    return inner() + 1;
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
