// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: use after free
// Preemptions: 0
// Class: timeout
//
// A caller that gives up frees the place that the worker still fills.
#include <chrono>
#include <memory>
#include <semaphore>
#include <thread>

namespace {

struct Request {
  std::binary_semaphore done{0};
  int answer = 0;
};

}  // namespace

int main() {
  auto request = std::make_unique<Request>();
  std::thread worker([shared = request.get()] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    shared->answer = 1;
    shared->done.release();
  });
  (void)request->done.try_acquire_for(std::chrono::milliseconds(1));
  request.reset();
  worker.join();
}
