// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The least there can be between two accesses: two threads that write and read their own memory,
// each access after the one before. `bare BYTES TIMES`: so much memory each (what fits a cache;
// what its records do not), and how often all of it is done.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

std::uint32_t work(std::size_t bytes, std::uint32_t seed) {
  std::vector<std::uint32_t> values(bytes / sizeof(std::uint32_t));
  std::uint32_t sum = 0;
  for (std::size_t done = 0; done < 4'000'000; done += 2 * values.size()) {
    for (std::uint32_t& value : values) value = seed = seed * 1664525U + 1013904223U;
    for (const std::uint32_t value : values) sum = sum * 31 + value;
  }
  return sum;
}

int main(int argc, char** argv) {
  const std::size_t bytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 4096;
  const unsigned long times = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1;
  std::uint32_t sums[2]{};
  for (unsigned long done = 0; done < times; ++done) {
    std::thread one([&] { sums[0] = work(bytes, 1); });
    std::thread two([&] { sums[1] = work(bytes, 2); });
    one.join();
    two.join();
  }
  std::printf("%u %u\n", sums[0], sums[1]);
}
