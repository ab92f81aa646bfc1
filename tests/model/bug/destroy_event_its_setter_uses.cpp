// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: use after free
// Preemptions: 0
// Class: destruction race
//
// set() notifies after the flag is seen: the waiter returns and frees the event that set() is
// still in.
#include <atomic>
#include <memory>
#include <thread>

namespace {

struct Event {
  std::atomic<bool> flag{false};
  int sets = 0;
  void set() {
    flag.store(true);
    ++sets;
  }
  void wait() const {
    while (!flag.load()) std::this_thread::yield();
  }
};

}  // namespace

int main() {
  auto event = std::make_unique<Event>();
  std::thread setter([shared = event.get()] { shared->set(); });
  event->wait();
  event.reset();
  setter.join();
}
