// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: lock-free queue
//
// A producer moves the tail, then links the node: a consumer that sees the tail move takes the
// missing link for empty.
#include <atomic>
#include <cstdlib>
#include <thread>

namespace {

struct Node {
  std::atomic<Node*> next{nullptr};
};

Node dummy;
Node item;
std::atomic<Node*> tail{&dummy};

}  // namespace

int main() {
  std::thread producer([] {
    Node* const before = tail.exchange(&item);
    before->next.store(&item);
  });
  std::thread consumer([] {
    if (tail.load() == &dummy) return;
    if (dummy.next.load() == nullptr) std::abort();
  });
  producer.join();
  consumer.join();
}
