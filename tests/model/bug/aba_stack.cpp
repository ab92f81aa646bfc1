// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: ABA
//
// A node is popped, reused and pushed again between the read of its successor and the exchange.
#include <atomic>
#include <cstdlib>
#include <thread>

namespace {

struct Node {
  std::atomic<Node*> next{nullptr};
  std::atomic<int> owners{0};
};

Node nodes[3];
std::atomic<Node*> top{&nodes[0]};

void push(Node* node) {
  node->owners.fetch_sub(1);
  Node* old = top.load();
  do node->next.store(old);
  while (!top.compare_exchange_strong(old, node));
}

Node* pop() {
  Node* old = top.load();
  while (old != nullptr && !top.compare_exchange_strong(old, old->next.load())) {
  }
  if (old != nullptr && old->owners.fetch_add(1) != 0) std::abort();
  return old;
}

}  // namespace

int main() {
  nodes[0].next.store(&nodes[1]);
  nodes[1].next.store(&nodes[2]);
  std::thread slow([] {
    pop();
    pop();
  });
  std::thread quick([] {
    Node* const first = pop();
    pop();
    if (first != nullptr) push(first);
  });
  slow.join();
  quick.join();
}
