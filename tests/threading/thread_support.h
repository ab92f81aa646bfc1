// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>
#include <thrum/threading.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/blocked.h"

namespace thrum::test {

/// Blocks until a thread sleeps for `kind`, and so says the kernel. Fails the test if it ends.
inline ThreadState until_blocked(const ThreadHandle& thread, Waitable kind) {
  ThreadState state;
  until([&] {
    state = thread.state();
    return state.life == Life::terminated ||
           (state.life == Life::blocked && state.blocked_on.kind == kind);
  });
  EXPECT_EQ(state.life, Life::blocked) << "the thread should block, it returned";
  return state;
}

inline bool is_listed(const ThreadHandle& thread) {
  const std::vector<ThreadHandle> all = threading::enumerate();
  return std::find(all.begin(), all.end(), thread) != all.end();
}

/// Returns what an exception says; empty if there is none.
inline std::string what_of(const std::exception_ptr& exception) {
  if (exception == nullptr) return {};
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "not a std::exception";
  }
}

/// Keeps what is told to excepthooks while it lives, instead of printing it.
class Reports {
 public:
  Reports()
      : before_(threading::set_excepthook([this](const threading::ExceptHookArgs& args) {
          const Guard guard(lock_);
          told_.push_back(args.thread.name() + ": " + what_of(args.exception));
        })) {}
  ~Reports() { threading::set_excepthook(before_); }
  Reports(const Reports&) = delete;
  Reports& operator=(const Reports&) = delete;

  std::vector<std::string> told() {
    const Guard guard(lock_);
    return told_;
  }

 private:
  Lock lock_;
  std::vector<std::string> told_;
  threading::ExceptHook before_;
};

}  // namespace thrum::test
