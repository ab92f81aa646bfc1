// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/lockfree_pop_frees_too_early.cpp: nodes are freed when
// nobody can read them.
#include <atomic>
#include <thread>

namespace {

struct Node {
  Node* next;
};

std::atomic<Node*> top{nullptr};

void pop(Node** popped) {
  Node* old = top.load();
  while (old != nullptr && !top.compare_exchange_strong(old, old->next)) {
  }
  *popped = old;
}

}  // namespace

int main() {
  top.store(new Node{new Node{nullptr}});
  Node* popped[2] = {};
  std::thread one(pop, &popped[0]);
  std::thread two(pop, &popped[1]);
  one.join();
  two.join();
  for (const Node* node : popped) delete node;
}
