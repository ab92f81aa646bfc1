// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/destroy_event_its_setter_uses.cpp: the flag is the last
// that set() touches.
#include <atomic>
#include <memory>
#include <thread>

namespace {

struct Event {
  std::atomic<bool> flag{false};
  int sets = 0;
  void set() {
    ++sets;
    flag.store(true);
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
