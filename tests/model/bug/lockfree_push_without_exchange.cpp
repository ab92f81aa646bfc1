// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: lock-free stack
//
// A push that stores the new top loses a node that was pushed since it read the old.
#include <atomic>
#include <cstdlib>
#include <thread>

namespace {

struct Node {
  Node* next = nullptr;
};

std::atomic<Node*> top{nullptr};

void push(Node* node) {
  node->next = top.load();
  top.store(node);
}

}  // namespace

int main() {
  Node a;
  Node b;
  std::thread one(push, &a);
  std::thread two(push, &b);
  one.join();
  two.join();
  int n = 0;
  for (const Node* node = top.load(); node != nullptr; node = node->next) ++n;
  if (n != 2) std::abort();
}
