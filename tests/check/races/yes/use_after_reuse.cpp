// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A pointer that is used after its memory was freed and would have been given out again.
#include <atomic>
#include <thread>

struct Item {
  int value[6];
};

std::atomic<Item*> published{nullptr};
std::atomic<Item*> again{nullptr};

void first() {
  Item* const item = new Item{};
  published.store(item, std::memory_order_release);
  delete item;
  again.store(new Item{}, std::memory_order_relaxed);
}

void second() {
  while (again.load(std::memory_order_relaxed) == nullptr) std::this_thread::yield();
  published.load(std::memory_order_acquire)->value[0] = 1;
}

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
  delete again.load();
}
