// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/lockfree_link_not_yet_there.cpp: the consumer waits for
// the link.
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
    while (dummy.next.load() == nullptr) std::this_thread::yield();
  });
  producer.join();
  consumer.join();
}
