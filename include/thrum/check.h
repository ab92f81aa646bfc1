// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What a program may say to `thrum check`. All of it is harmless in a program that is not checked,
// and needs no library: the functions behind it are found if `thrum check` runs the program.
#pragma once

#include <utility>

extern "C" {
int thrum_check_explore_begin() __attribute__((weak));
void thrum_check_explore_end() __attribute__((weak));
void thrum_check_explore_failed(const char* what) __attribute__((weak));
unsigned thrum_check_choose(unsigned n) __attribute__((weak));
void thrum_check_assume_failed() __attribute__((weak));
void thrum_check_note(const char* text) __attribute__((weak));
void thrum_check_atomic(int begins) __attribute__((weak));

// testing::Test::HasFatalFailure() and HasNonfatalFailure(), if the program has GoogleTest: an
// EXPECT_EQ() that does not hold neither throws nor ends anything.
bool thrum_check_gtest_fatal() __asm__("_ZN7testing4Test15HasFatalFailureEv") __attribute__((weak));
bool thrum_check_gtest_nonfatal() __asm__("_ZN7testing4Test18HasNonfatalFailureEv")
    __attribute__((weak));
}

namespace thrum::check {

/// Tells whether `thrum check` runs this program.
inline bool is_checked() noexcept { return thrum_check_choose != nullptr; }

/// Calls `test()`: once in an ordinary run; under `thrum check` once per schedule, and only it, not
/// what comes before or after in the program. So a test inside of any framework can be explored,
/// several hundred thousand times a second. Each call in a program is a campaign of its own. It
/// fails by assert(), an exception, abort() or an expectation of GoogleTest.
///
///     TEST(Stack, KeepsWhatIsPushed) {
///       thrum::check::explore([] { ... std::thread ... EXPECT_EQ(...); });
///     }
template <class Test>
void explore(Test&& test) {
  if (thrum_check_explore_begin == nullptr) return std::forward<Test>(test)();
  const int what = thrum_check_explore_begin();
  if (what == 0) return;  // the turn of another explore() of this program
  std::forward<Test>(test)();
  const bool has_failed = (thrum_check_gtest_fatal != nullptr && thrum_check_gtest_fatal()) ||
                          (thrum_check_gtest_nonfatal != nullptr && thrum_check_gtest_nonfatal());
  if (has_failed && thrum_check_explore_failed != nullptr) {
    thrum_check_explore_failed("an expectation of GoogleTest");
  }
  thrum_check_explore_end();
}

/// Returns one of 0 to n-1, and under `thrum check` all of them, in different schedules; else 0.
inline unsigned choose(unsigned n) noexcept {
  return thrum_check_choose != nullptr ? thrum_check_choose(n) : 0;
}

/// Says that an execution in which `condition` is false is not interesting: it ends there, and
/// counts neither as found nor as clean. Ignored in an ordinary run.
inline void assume(bool condition) noexcept {
  if (!condition && thrum_check_assume_failed != nullptr) thrum_check_assume_failed();
}

/// Puts a line of text into the report, where the thread is then.
inline void note(const char* text) noexcept {
  if (thrum_check_note != nullptr) thrum_check_note(text);
}

/// Calls `body()` without switching to another thread, unless the thread has to wait in it. For
/// parts of a test that are not what is tested.
template <class Body>
decltype(auto) atomic_block(Body&& body) {
  struct Block {
    Block() noexcept {
      if (thrum_check_atomic != nullptr) thrum_check_atomic(1);
    }
    ~Block() {
      if (thrum_check_atomic != nullptr) thrum_check_atomic(0);
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
  } const block;
  return std::forward<Body>(body)();
}

}  // namespace thrum::check
