// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What the terminal can show, and text made of ink marks that it turns into colour or nothing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace thrum::text {

/// Marks inside a text: they take no room, and switch the ink for what follows up to kInkEnd.
inline constexpr char kBold = '\x01';
inline constexpr char kDim = '\x02';
inline constexpr char kGreen = '\x03';
inline constexpr char kRed = '\x04';
inline constexpr char kYellow = '\x05';
inline constexpr char kCyan = '\x06';
inline constexpr char kInkEnd = '\x0e';
/// A space at which no line is broken.
inline constexpr char kHardSpace = '\x0f';

/// Returns the text between an ink mark and its end.
std::string ink(char mark, std::string_view text);

/// Returns how many columns the text takes.
std::size_t columns_of(std::string_view text);

/// Returns the text, cut to `columns` with an ellipsis, or filled with spaces up to them.
std::string fit(std::string_view text, std::size_t columns);

/// Returns the text broken at spaces into lines of at most `columns`; a longer word stays whole.
std::vector<std::string> wrap(std::string_view text, std::size_t columns);

/// Returns a horizontal bar: `share` (0 to 1) of `columns`, in eighths of a column.
std::string bar(double share, std::size_t columns);

/// Returns the name with control characters, marks of direction, invalid UTF-8 and backslashes
/// escaped as in C, so that it takes one line, is valid UTF-8 and reads as it is written.
std::string printable(std::string_view name);

/// Where text goes.
struct Terminal {
  bool redraws = false;  ///< it is a terminal, and can take back what it shows
  bool colour = false;
  bool utf8 = false;
  std::size_t width = 100;

  /// Returns what standard output can show: colour only on a terminal, unless NO_COLOR is set or
  /// TERM is dumb; UTF-8 if the locale says so.
  static Terminal of_stdout(bool no_colour);
  /// The same of another descriptor.
  static Terminal of(int descriptor, bool no_colour);

  /// Returns the text with its ink marks as escape sequences or gone, and in ASCII if need be.
  std::string render(std::string_view text) const;
};

}  // namespace thrum::text
