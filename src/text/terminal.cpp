// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "text/terminal.h"

#include <fmt/format.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace thrum::text {
namespace {

constexpr std::string_view kMarks = "\x01\x02\x03\x04\x05\x06\x0e";

bool is_mark(char c) { return kMarks.find(c) != std::string_view::npos; }

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::string_view escape_of(char mark) {
  switch (mark) {
    case kBold:
      return "\x1b[1m";
    case kDim:
      return "\x1b[2m";
    case kGreen:
      return "\x1b[32m";
    case kRed:
      return "\x1b[31m";
    case kYellow:
      return "\x1b[33m";
    case kCyan:
      return "\x1b[36m";
    default:
      return "\x1b[0m";
  }
}

// Marks that no one sees and that show what follows in another order or on another line: U+061C,
// U+200E to U+200F, U+2028 to U+202E, U+2066 to U+2069.
bool turns_direction(std::string_view text) {
  const auto at = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  if (at(0) == 0xd8) return at(1) == 0x9c;
  if (at(0) != 0xe2) return false;
  if (at(1) == 0x80) return at(2) == 0x8e || at(2) == 0x8f || (at(2) >= 0xa8 && at(2) <= 0xae);
  return at(1) == 0x81 && at(2) >= 0xa6 && at(2) <= 0xa9;
}

// What takes the place of our own signs where the locale knows ASCII only: as wide as they are.
constexpr std::array<std::pair<std::string_view, std::string_view>, 20> kAscii{{
    {"✓", "+"}, {"✗", "!"}, {"–", "-"}, {"─", "-"}, {"→", ">"}, {"⇄", "~"}, {"·", "."},
    {"×", "x"}, {"µ", "u"}, {"…", "~"}, {"█", "#"}, {"▉", "#"}, {"▊", "#"}, {"▋", "#"},
    {"▌", "#"}, {"▍", "#"}, {"▎", "#"}, {"▏", "#"}, {"░", "."}, {"≤", "<"},
}};

// Returns how many bytes from the start of `text` are one valid UTF-8 sequence, 0 if none are.
std::size_t valid_sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < n) return 0;
  for (std::size_t i = 1; i < n; ++i) {
    if (!continues(text[i])) return 0;
  }
  if (first == 0xe0 && byte(1) < 0xa0) return 0;  // overlong
  if (first == 0xed && byte(1) > 0x9f) return 0;  // a surrogate
  if (first == 0xf0 && byte(1) < 0x90) return 0;  // overlong
  if (first == 0xf4 && byte(1) > 0x8f) return 0;  // above U+10FFFF
  if (first == 0xc2 && byte(1) < 0xa0) return 0;  // a control character
  if (turns_direction(text)) return 0;
  return n;
}

}  // namespace

std::string ink(char mark, std::string_view text) {
  std::string inked(1, mark);
  inked += text;
  inked += kInkEnd;
  return inked;
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return !is_mark(c) && !continues(c); }));
}

std::string fit(std::string_view text, std::size_t columns) {
  const std::size_t width = columns_of(text);
  std::string fitted(text);
  if (width <= columns) return fitted.append(columns - width, ' ');
  fitted.clear();
  std::size_t room = columns > 0 ? columns - 1 : 0;
  for (const char c : text) {
    if (!is_mark(c) && !continues(c)) {
      if (room == 0) break;
      --room;
    }
    fitted += c;
  }
  return columns > 0 ? fitted + "…" + kInkEnd : fitted;
}

std::vector<std::string> wrap(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string& line = lines.back();
    if (line.empty()) {
      line = word;
    } else if (columns_of(line) + 1 + columns_of(word) <= columns) {
      line.append(" ").append(word);
    } else {
      lines.emplace_back(word);
    }
  }
  return lines;
}

std::string bar(double share, std::size_t columns) {
  static constexpr std::array<std::string_view, 8> kParts{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double filled = std::clamp(share, 0.0, 1.0) * static_cast<double>(columns) * 8;
  const auto eighths = static_cast<std::size_t>(std::lround(filled));
  std::string drawn;
  for (std::size_t i = 0; i < eighths / 8; ++i) drawn += "█";
  drawn += kParts[eighths % 8];
  return drawn;
}

std::string printable(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::size_t n = valid_sequence(name);
    const char c = name[0];
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\\') {
      out += "\\\\";
    } else if (n == 0 || (n == 1 && (c < ' ' || c == '\x7f'))) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += name.substr(0, n);
    }
    name.remove_prefix(std::max<std::size_t>(n, 1));
  }
  return out;
}

Terminal Terminal::of_stdout(bool no_colour) { return of(STDOUT_FILENO, no_colour); }

Terminal Terminal::of(int descriptor, bool no_colour) {
  Terminal terminal;
  terminal.utf8 =
      std::setlocale(LC_CTYPE, "") != nullptr && std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
  if (isatty(descriptor) != 1) return terminal;

  const char* const never = std::getenv("NO_COLOR");
  const char* const kind = std::getenv("TERM");
  terminal.redraws = kind != nullptr && std::strcmp(kind, "dumb") != 0;
  terminal.colour = terminal.redraws && !no_colour && (never == nullptr || *never == '\0');

  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    terminal.width = std::clamp<std::size_t>(size.ws_col, 40, 120);
  } else {
    terminal.width = 80;
  }
  return terminal;
}

std::string Terminal::render(std::string_view text) const {
  std::string out;
  for (const char c : text) {
    if (c == kHardSpace) {
      out += ' ';
    } else if (!is_mark(c)) {
      out += c;
    } else if (colour) {
      out += escape_of(c);
    }
  }
  if (utf8) return out;
  for (const auto& [sign, ascii] : kAscii) {
    for (std::size_t at = 0; (at = out.find(sign, at)) != std::string::npos; at += ascii.size()) {
      out.replace(at, sign.size(), ascii);
    }
  }
  return out;
}

}  // namespace thrum::text
