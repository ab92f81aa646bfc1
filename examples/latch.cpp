// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A primitive of your own, on the waist (docs/waist.md).
#include <thrum/threading.h>

#include <cstdint>
#include <cstdio>
#include <utility>
#include <vector>

class Latch {
 public:
  explicit Latch(std::uint32_t n) : left_(n) {}
  void count_down() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) thrum::wake(&left_, thrum::kEveryone);
  }
  [[nodiscard]] bool wait(const thrum::Deadline& deadline) {
    for (;;) {
      const std::uint32_t left = left_.load(std::memory_order_acquire);
      if (left == 0) return true;
      const thrum::Wake why = thrum::wait(left_, left, deadline);
      if (why == thrum::Wake::timeout || why == thrum::Wake::stopped) {
        return left_.load(std::memory_order_acquire) == 0;  // success wins
      }
    }
  }

 private:
  thrum::Word left_;
};

int main() {
  Latch latch(3);
  if (latch.wait(thrum::nonblocking)) return 1;
  thrum::Group group;
  for (int i = 0; i < 3; ++i) group.start([&] { latch.count_down(); });
  const bool open = latch.wait(thrum::forever);
  group.join();
  std::puts(open ? "open" : "shut");
  return open ? 0 : 1;
}
