// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Two threads that compute, each on its own memory, with nothing to schedule: what remains is the
// cost of looking at each access. Prints what it has computed.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <vector>

std::uint32_t work(std::uint32_t seed) {
  std::vector<std::uint32_t> values(20'000);
  std::uint32_t sum = 0;
  for (int round = 0; round < 10; ++round) {
    for (std::uint32_t& value : values) value = seed = seed * 1664525U + 1013904223U;
    std::sort(values.begin(), values.end());
    for (const std::uint32_t value : values) sum = sum * 31 + value;
  }
  return sum;
}

int main() {
  std::uint32_t sums[2]{};
  std::thread one([&] { sums[0] = work(1); });
  std::thread two([&] { sums[1] = work(2); });
  one.join();
  two.join();
  std::printf("%u %u\n", sums[0], sums[1]);
}
