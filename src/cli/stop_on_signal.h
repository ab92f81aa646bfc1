// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <stop_token>

#include "thrum/threading.h"

namespace thrum::cli {

/// Turns SIGINT and SIGTERM into a request to stop, from its construction on. Construct it before
/// the first thread. Who does not end within 900 ms of the signal, or is signalled again, is ended
/// at once with the signal's exit code.
class StopOnSignal {
 public:
  /// Throws  std::system_error if the system has no descriptor or thread left.
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  /// Returns the signal that came, 0 if none did.
  int signal() const noexcept { return signal_.load(std::memory_order_relaxed); }

 private:
  void listen();

  std::stop_source source_;
  std::atomic<int> signal_{0};  // relaxed: it is read by whoever saw the stop token
  int signals_ = -1;            // a signalfd
  int over_ = -1;               // an eventfd: written when nobody needs us any more
  Thread listener_;
};

}  // namespace thrum::cli
