// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/timeout_frees_what_the_worker_fills.cpp: caller and worker
// share the place, and the last frees it.
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
  auto request = std::make_shared<Request>();
  std::thread worker([shared = request] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    shared->answer = 1;
    shared->done.release();
  });
  (void)request->done.try_acquire_for(std::chrono::milliseconds(1));
  request.reset();
  worker.join();
}
