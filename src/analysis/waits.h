// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What a thread waits for, told from the system call that it is blocked in and the memory that it
// names: for threads that nobody records.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "analysis/procfs.h"
#include "analysis/wait_graph.h"
#include "trace/event.h"

namespace thrum::analysis {

struct Waiting {
  trace::Kind kind = trace::Kind::none;
  bool timed = false;        ///< it gives up by itself
  std::uint64_t object = 0;  ///< the mutex, semaphore...; the number of a system call
  std::uint32_t holder = 0;  ///< as the object has it, in the thread's own pid namespace; 0 unknown
  std::uint32_t readers = 0;  ///< who hold a read-write lock, if it is readers
  bool operator==(const Waiting&) const = default;
};

/// Returns what a blocked thread waits for. `functions` are the innermost frames of its stack, if
/// it is known; `is_thread` says whether an id is that of a thread of the process.
Waiting waiting_of(std::uint32_t pid, const Call& call, std::span<const std::string> functions,
                   const ReadWords& read, const std::function<bool(std::uint32_t)>& is_thread);

}  // namespace thrum::analysis
