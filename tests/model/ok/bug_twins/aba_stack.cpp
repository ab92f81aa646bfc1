// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/aba_stack.cpp: the top carries a count of its changes.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <thread>

namespace {

struct Node {
  std::atomic<std::uint32_t> next{0};  // index + 1
  std::atomic<int> owners{0};
};

constexpr std::uint64_t kChange = std::uint64_t{1} << 32;

Node nodes[3];
std::atomic<std::uint64_t> top{1};  // a count of changes, and an index + 1

void push(std::uint32_t index) {
  nodes[index - 1].owners.fetch_sub(1);
  std::uint64_t old = top.load();
  do nodes[index - 1].next.store(static_cast<std::uint32_t>(old));
  while (!top.compare_exchange_strong(old, (old / kChange + 1) * kChange + index));
}

std::uint32_t pop() {
  std::uint64_t old = top.load();
  for (;;) {
    const auto index = static_cast<std::uint32_t>(old);
    if (index == 0) return 0;
    const std::uint64_t next = nodes[index - 1].next.load();
    if (top.compare_exchange_strong(old, (old / kChange + 1) * kChange + next)) {
      if (nodes[index - 1].owners.fetch_add(1) != 0) std::abort();
      return index;
    }
  }
}

}  // namespace

int main() {
  nodes[0].next.store(2);
  nodes[1].next.store(3);
  std::thread slow([] {
    pop();
    pop();
  });
  std::thread quick([] {
    const std::uint32_t first = pop();
    pop();
    if (first != 0) push(first);
  });
  slow.join();
  quick.join();
}
