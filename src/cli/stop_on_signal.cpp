// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/stop_on_signal.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>

namespace thrum::cli {
namespace {

constexpr int kPatienceMs = 900;

int checked(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
  return fd;
}

}  // namespace

StopOnSignal::StopOnSignal() {
  sigset_t caught;
  sigemptyset(&caught);
  sigaddset(&caught, SIGINT);
  sigaddset(&caught, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &caught, nullptr);
  signals_ = checked(signalfd(-1, &caught, SFD_CLOEXEC), "signalfd");
  over_ = checked(eventfd(0, EFD_CLOEXEC), "eventfd");
  listener_ = Thread({.name = "signals"}, [this] { listen(); });
  listener_.start();
}

StopOnSignal::~StopOnSignal() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(over_, &one, sizeof one);
  listener_.join();
  close(over_);
  close(signals_);
}

void StopOnSignal::listen() {
  std::array<pollfd, 2> ready{{{over_, POLLIN, 0}, {signals_, POLLIN, 0}}};
  for (int patience_ms = -1;;) {
    const int n = poll(ready.data(), ready.size(), patience_ms);
    if (n < 0 && errno == EINTR) continue;
    if (ready[0].revents != 0) return;
    if (n == 0) _exit(128 + signal());  // somebody hangs, in a read() of a dead disk say
    signalfd_siginfo info{};
    if (read(signals_, &info, sizeof info) != sizeof info) continue;
    const int number = static_cast<int>(info.ssi_signo);
    if (signal() != 0) _exit(128 + number);
    signal_.store(number, std::memory_order_relaxed);
    source_.request_stop();
    patience_ms = kPatienceMs;
  }
}

}  // namespace thrum::cli
