// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: race
// Preemptions: 1
// Class: destruction race
//
// A destructor frees what its thread works on before it stops the thread.
#include <atomic>
#include <memory>
#include <thread>

namespace {

class Worker {
 public:
  ~Worker() {
    items_.reset();
    stop_.store(true);
    thread_.join();
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
