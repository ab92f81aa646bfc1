// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/destroy_members_before_thread.cpp: the thread is stopped
// first.
#include <atomic>
#include <memory>
#include <thread>

namespace {

class Worker {
 public:
  ~Worker() {
    stop_.store(true);
    thread_.join();
    items_.reset();
  }

 private:
  void run() {
    while (!stop_.load()) {
      items_[0] += 1;
      std::this_thread::yield();
    }
  }
  std::atomic<bool> stop_{false};
  std::unique_ptr<int[]> items_ = std::make_unique<int[]>(4);
  std::thread thread_{&Worker::run, this};
};

}  // namespace

int main() { const Worker worker; }
