// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "text/terminal.h"

namespace thrum::cli {

/// The whole terminal behind standard error, for a program that is shown while it runs. What the
/// program itself would say there goes to a file meanwhile, and it reads nothing.
class LiveScreen {
 public:
  /// Takes the terminal. Output of this process and its children that would show there goes to
  /// `output`, which is made anew, for its owner alone; nowhere else if that is empty.
  /// Throws  std::system_error if the file cannot be made
  LiveScreen(const std::string& output, bool no_colour);
  /// As close().
  ~LiveScreen();
  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;

  /// Returns why there is no screen to be had; empty if there is.
  static std::string problem();

  bool open() const;
  /// Gives the terminal back, and standard output and error; what the program prints still goes to
  /// the file.
  void close();
  std::size_t columns() const;
  std::size_t rows() const;
  /// Shows the lines, which have ink marks.
  void show(const std::vector<std::string>& lines);
  /// Returns whether the user wants to leave.
  bool wants_to_leave();

 private:
  struct Terminal;
  void divert(const std::string& output);

  std::unique_ptr<Terminal> terminal_;
};

}  // namespace thrum::cli
