// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Everything this library throws, besides what the system throws through it
// (std::system_error when the OS refuses a thread, std::bad_alloc).
#pragma once

#include <stdexcept>

#include "thrum/config.h"

namespace thrum {

/// The caller broke a rule: released a free lock, joined itself, asked for a negative permit.
/// The message reads `thrum::Class::method: what was wrong, and what is required`; the object is
/// unchanged. Python raises RuntimeError or ValueError here.
class THRUM_API UsageError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// The queue was shut down: nothing more can be put, and what there was to get has been got.
/// Like  queue.ShutDown.
class THRUM_API ShutDown : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The barrier was aborted, reset, or a party gave up.
/// Like  threading.BrokenBarrierError.
class THRUM_API BrokenBarrier : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws UsageError(message); out of line, so that inline callers stay small.
[[noreturn]] THRUM_API void throw_usage_error(const char* message);
/// Throws ShutDown(message).
[[noreturn]] THRUM_API void throw_shut_down(const char* message);

}  // namespace thrum
