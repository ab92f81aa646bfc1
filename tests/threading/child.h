// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace thrum::test {

/// A program of tests/threading/children that runs one scene, for what happens once in a process.
/// Killed if it is still there at the end of the scope.
class Child {
 public:
  explicit Child(std::vector<std::string> arguments);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const noexcept { return pid_; }
  /// Blocks until the child has printed `line`, the next on its output that is awaited.
  void expect_line(const std::string& line);
  /// Blocks until `part` is in what it wrote to stderr since the last call.
  void expect_error(const std::string& part);
  /// Ends the child's input.
  void close_input();
  /// Blocks until it has ended.
  /// Returns how: `exited 7`, `killed by signal 6`.
  const std::string& wait();
  /// Returns what it has printed until now.
  std::string out() const;
  std::string err() const;

 private:
  void expect(const std::string& part, int file, std::size_t& from);
  void poll();

  pid_t pid_ = -1;
  int input_ = -1, out_ = -1, err_ = -1;
  std::size_t out_read_ = 0, err_read_ = 0;
  std::string ended_{};
};

}  // namespace thrum::test
