// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <thrum/errors.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>

namespace thrum::test {

/// Returns whether `misuse()` throws a UsageError whose message begins with `place: `.
template <class Misuse>
testing::AssertionResult refuses(const std::string& place, Misuse misuse) {
  try {
    misuse();
  } catch (const UsageError& error) {
    const std::string message = error.what();
    if (message.starts_with(place + ": ")) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "the message is: " << message;
  }
  return testing::AssertionFailure() << "nothing was thrown";
}

/// Returns whether `check()` is true in a child of this process.
template <class Check>
bool true_in_child(Check check) {
  // Not by its exit status: valgrind may change that.
  std::array<int, 2> answer{};
  if (pipe(answer.data()) != 0) return false;
  const pid_t child = fork();
  if (child == 0) {
    const char is_true = check() ? 1 : 0;
    _exit(write(answer[1], &is_true, 1) == 1 ? 0 : 1);
  }
  close(answer[1]);
  char is_true = 0;
  while (read(answer[0], &is_true, 1) < 0) {
  }
  close(answer[0]);
  while (waitpid(child, nullptr, 0) < 0) {
  }
  return is_true == 1;
}

/// Measures how much time has passed, to compare from below.
class Stopwatch {
 public:
  std::chrono::nanoseconds elapsed() const { return std::chrono::steady_clock::now() - started_; }

 private:
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace thrum::test
