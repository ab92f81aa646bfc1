// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/live_screen.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

// Its macros have the names of half the world.
#define NCURSES_NOMACROS 1  // NOLINT(readability-identifier-naming): theirs
#include <curses.h>

namespace thrum::cli {

struct LiveScreen::Terminal {
  std::FILE* in = nullptr;
  std::FILE* out = nullptr;
  int saved[3] = {-1, -1, -1};  // what standard input, output and error were
  SCREEN* screen = nullptr;
  text::Terminal shows{};

  void leave() {
    if (screen == nullptr) return;
    endwin();
    delscreen(screen);
    screen = nullptr;
  }

  // The program has descriptors of its own by now.
  void give_back() {
    leave();
    std::fflush(stdout);
    std::fflush(stderr);
    for (int descriptor = 0; descriptor < 3; ++descriptor) {
      if (saved[descriptor] < 0) continue;
      dup2(saved[descriptor], descriptor);
      ::close(saved[descriptor]);
      saved[descriptor] = -1;
    }
  }
};

namespace {

std::FILE* copy_of(int descriptor, const char* mode) {
  const int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 10);
  return copy < 0 ? nullptr : fdopen(copy, mode);
}

int attributes_of(char mark) {
  switch (mark) {
    case text::kBold:
      return static_cast<int>(A_BOLD);
    case text::kDim:
      return static_cast<int>(A_DIM);
    case text::kGreen:
      return COLOR_PAIR(1);
    case text::kRed:
      return COLOR_PAIR(2);
    case text::kYellow:
      return COLOR_PAIR(3);
    case text::kCyan:
      return COLOR_PAIR(4);
    default:
      return static_cast<int>(A_NORMAL);
  }
}

}  // namespace

std::string LiveScreen::problem() {
  if (isatty(STDERR_FILENO) != 1) return "standard error is no terminal";
  if (isatty(STDIN_FILENO) != 1) return "standard input is no terminal";
  if (!text::Terminal::of(STDERR_FILENO, false).redraws)
    return "this terminal cannot redraw (TERM)";
  return {};
}

LiveScreen::LiveScreen(const std::string& output, bool no_colour)
    : terminal_(std::make_unique<Terminal>()) {
  terminal_->shows = text::Terminal::of(STDERR_FILENO, no_colour);
  terminal_->in = copy_of(STDIN_FILENO, "re");
  terminal_->out = copy_of(STDERR_FILENO, "we");
  if (!output.empty()) divert(output);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  terminal_->saved[STDIN_FILENO] = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
  dup2(nothing, STDIN_FILENO);
  ::close(nothing);

  terminal_->screen = newterm(nullptr, terminal_->out, terminal_->in);
  if (terminal_->screen == nullptr) return;
  cbreak();
  noecho();
  curs_set(0);
  nodelay(stdscr, TRUE);
  keypad(stdscr, TRUE);
  if (terminal_->shows.colour && has_colors()) {
    start_color();
    use_default_colors();
    short pair = 0;
    for (const int colour : {COLOR_GREEN, COLOR_RED, COLOR_YELLOW, COLOR_CYAN}) {
      init_pair(++pair, static_cast<short>(colour), -1);
    }
  }
}

void LiveScreen::divert(const std::string& output) {
  // What stood there under this name may be somebody's link.
  if (unlink(output.c_str()) != 0 && errno != ENOENT) {
    throw std::system_error(errno, std::generic_category(), output);
  }
  const int file =
      ::open(output.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) throw std::system_error(errno, std::generic_category(), output);
  std::fflush(stdout);
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    if (isatty(descriptor) != 1) continue;
    terminal_->saved[descriptor] = fcntl(descriptor, F_DUPFD_CLOEXEC, 10);
    dup2(file, descriptor);
  }
  ::close(file);
}

LiveScreen::~LiveScreen() {
  terminal_->give_back();
  if (terminal_->in != nullptr) std::fclose(terminal_->in);
  if (terminal_->out != nullptr) std::fclose(terminal_->out);
}

bool LiveScreen::open() const { return terminal_->screen != nullptr; }

void LiveScreen::close() { terminal_->give_back(); }

std::size_t LiveScreen::columns() const { return static_cast<std::size_t>(getmaxx(stdscr)); }
std::size_t LiveScreen::rows() const { return static_cast<std::size_t>(getmaxy(stdscr)); }

void LiveScreen::show(const std::vector<std::string>& lines) {
  if (!open()) return;
  werase(stdscr);
  int row = 0;
  for (const std::string& line : lines) {
    wmove(stdscr, row++, 0);
    for (std::size_t at = 0; at < line.size();) {
      if (line[at] == text::kHardSpace || static_cast<unsigned char>(line[at]) >= ' ') {
        std::size_t end = at;
        while (end < line.size() &&
               (static_cast<unsigned char>(line[end]) >= ' ' || line[end] == text::kHardSpace)) {
          ++end;
        }
        waddstr(stdscr,
                terminal_->shows.render(std::string_view(line).substr(at, end - at)).c_str());
        at = end;
      } else {
        wattrset(stdscr, attributes_of(line[at++]));
      }
    }
    wattrset(stdscr, static_cast<int>(A_NORMAL));
  }
  wrefresh(stdscr);
}

bool LiveScreen::wants_to_leave() {
  if (!open()) return false;
  for (int key = 0; (key = wgetch(stdscr)) != ERR;) {
    if (key == 'q' || key == 'Q') return true;
  }
  return false;
}

}  // namespace thrum::cli
