// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <optional>

namespace thrum::analysis {

/// Keeps SIGINT and SIGTERM to be read, and lets the end of a child end a sleep.
class WatcherSignals {
 public:
  WatcherSignals() {
    sigset_t caught;
    sigemptyset(&caught);
    sigaddset(&caught, SIGINT);
    sigaddset(&caught, SIGTERM);
    sigprocmask(SIG_BLOCK, &caught, &old_);
    file_ = signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
    // Does nothing but end a sleep.
    struct sigaction wake{};
    wake.sa_handler = [](int) {};
    sigaction(SIGCHLD, &wake, &old_child_);
  }
  ~WatcherSignals() {
    close(file_);
    sigaction(SIGCHLD, &old_child_, nullptr);
    sigprocmask(SIG_SETMASK, &old_, nullptr);
  }
  WatcherSignals(const WatcherSignals&) = delete;
  WatcherSignals& operator=(const WatcherSignals&) = delete;

  /// A descriptor that can be read when a signal came.
  int file() const { return file_; }
  /// Returns the next signal that came, if one did.
  std::optional<signalfd_siginfo> next() const {
    signalfd_siginfo info{};
    if (read(file_, &info, sizeof info) != sizeof info) return std::nullopt;
    return info;
  }

 private:
  int file_ = -1;
  sigset_t old_{};
  struct sigaction old_child_{};
};

}  // namespace thrum::analysis
