// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Three times in a row a thread has to look while another one's word is there, which it is for one
// step of many: one rare read that sees one rare write, and only then the next has a word to say.
#include <atomic>
#include <cassert>
#include <thread>

struct Word {
  std::atomic<int> word{0};

  void say() {
    word.store(1);
    word.store(2);
  }
  bool is_heard() { return word.load() == 1; }
};

Word first, second, third;

void work(int steps) {
  std::atomic<int> own{0};
  for (int i = 0; i < steps; ++i) own.store(i);
}

int main() {
  std::thread a([] {
    work(80);
    first.say();
    work(20);
  });
  std::thread b([] {
    work(20);
    if (first.is_heard()) second.say();
    work(80);
  });
  std::thread c([] {
    work(60);
    if (second.is_heard()) third.say();
    work(40);
  });
  work(50);
  const bool heard = third.is_heard();
  a.join();
  b.join();
  c.join();
  assert(!heard);
}
