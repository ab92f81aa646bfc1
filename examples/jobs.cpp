// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The example of README.md.
#include <thrum/threading.h>

#include <cstdio>
#include <string>
using namespace thrum;

int main() {
  Queue<std::string> jobs(64);  // at most 64 wait in it

  Thread worker({.name = "worker"}, [&](std::stop_token stop) {
    for (auto task : jobs.tasks(stop)) {
      std::puts(task->c_str());
    }  // here task_done() is called, also if an exception leaves the turn
  });
  worker.start();

  for (int i = 0; i < 1000; ++i) jobs.put("job " + std::to_string(i));
  jobs.join();      // every job is done, not only taken
  jobs.shutdown();  // the loop of the worker ends
  worker.join();
}
