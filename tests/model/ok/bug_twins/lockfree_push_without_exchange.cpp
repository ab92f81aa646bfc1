// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/lockfree_push_without_exchange.cpp: it exchanges the top
// only if it is still the old.
#include <atomic>
#include <cstdlib>
#include <thread>

namespace {

struct Node {
  Node* next = nullptr;
};

std::atomic<Node*> top{nullptr};

void push(Node* node) {
  Node* old = top.load();
  do node->next = old;
  while (!top.compare_exchange_weak(old, node));
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
