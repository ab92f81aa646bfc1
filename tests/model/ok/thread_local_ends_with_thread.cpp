// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The end of a thread and that of the Local destroy its value once.
#include <thrum/event.h>
#include <thrum/local.h>
#include <thrum/thread.h>

#include <atomic>
#include <cstdlib>
#include <memory>

std::atomic<int> alive{0};
struct Value {
  Value() { ++alive; }
  ~Value() { --alive; }
};

int main() {
  auto local = std::make_unique<thrum::Local<Value>>();
  thrum::Event touched;
  thrum::Thread toucher([&] {
    local->get();
    touched.set();
  });
  toucher.start();
  touched.wait();
  local.reset();
  toucher.join();
  if (alive != 0) std::abort();
}
