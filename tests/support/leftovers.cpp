// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Every test fails that leaves a thread behind.
#include <dirent.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "support/blocked.h"

namespace thrum::test {
namespace {

int threads() {
  int n = 0;
  DIR* const tasks = opendir("/proc/self/task");
  while (const dirent* entry = readdir(tasks)) n += entry->d_name[0] != '.';
  closedir(tasks);
  return n;
}

class NoThreadStays : public testing::EmptyTestEventListener {
  void OnTestProgramStart(const testing::UnitTest&) override {
    std::thread([] {}).join();  // with the first thread a sanitizer starts its own
  }
  void OnTestStart(const testing::TestInfo&) override { before_ = threads(); }
  void OnTestEnd(const testing::TestInfo&) override {
    // A thread that was joined is in the list a moment longer.
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    until([&] { return threads() <= before_ || std::chrono::steady_clock::now() > patience; });
    EXPECT_LE(threads(), before_) << "threads remain";
  }

  int before_ = 0;
};

[[maybe_unused]] const bool installed = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new NoThreadStays);
  return true;
}();

}  // namespace
}  // namespace thrum::test
