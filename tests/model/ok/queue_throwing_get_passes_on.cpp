// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A getter whose item throws on its way out leaves it, and its wake-up, to the other.
#include <thrum/queue.h>

#include <thread>

struct Item {
  Item() = default;
  Item(Item&&) noexcept(false) {
    if (refuses) throw 1;
  }
  static thread_local bool refuses;
};
thread_local bool Item::refuses = false;

int main() {
  thrum::Queue<Item> queue;
  std::thread refuses([&] {
    Item::refuses = true;
    try {
      (void)queue.get();
    } catch (int) {
    }
  });
  std::thread waits([&] { (void)queue.get(); });
  queue.put(Item());
  waits.join();
  queue.put(Item());  // lets the other end, if it was late
  refuses.join();
}
