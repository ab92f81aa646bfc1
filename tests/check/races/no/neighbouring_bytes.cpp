// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Six threads write a byte each, in one word.
#include <thread>
#include <vector>

struct Word {
  char bytes[8];
};
Word data{};

int main() {
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([i] {
      data.bytes[i] = 1;
      data.bytes[i] = static_cast<char>(data.bytes[i] + 1);
    });
  }
  for (std::thread& thread : threads) thread.join();
}
