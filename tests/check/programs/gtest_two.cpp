// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

TEST(Count, IsRight) {
  std::atomic<int> count{0};
  std::thread first([&] { ++count; });
  std::thread second([&] { ++count; });
  first.join();
  second.join();
  EXPECT_EQ(count, 2);
}

TEST(Count, IsWrong) {
  std::atomic<int> count{0};
  const auto add = [&] { count.store(count.load() + 1); };
  std::thread first(add);
  std::thread second(add);
  first.join();
  second.join();
  EXPECT_EQ(count, 2);
}
