// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: use after free
// Preemptions: 1
// Class: lock-free stack
//
// A popped node is freed while another pop may be about to read its successor.
#include <atomic>
#include <thread>

namespace {

struct Node {
  Node* next;
};

std::atomic<Node*> top{nullptr};

void pop() {
  Node* old = top.load();
  while (old != nullptr && !top.compare_exchange_strong(old, old->next)) {
  }
  delete old;
}

}  // namespace

int main() {
  top.store(new Node{new Node{nullptr}});
  std::thread one(pop);
  std::thread two(pop);
  one.join();
  two.join();
}
