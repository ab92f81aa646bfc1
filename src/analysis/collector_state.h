// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What the collector keeps of processes, slots and stacks; for its own sources.
#pragma once

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>
#include <utility>
#include <vector>

#include "analysis/collector.h"
#include "trace/ticks.h"

namespace thrum::analysis {

/// A process that may end, and whose id may then be another's: so by a pidfd.
class ProcessHandle {
 public:
  ProcessHandle() = default;
  ~ProcessHandle() { close(); }
  ProcessHandle(ProcessHandle&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  ProcessHandle& operator=(ProcessHandle&&) = delete;

  void open(std::uint32_t pid) {
    constexpr long kPidfdOpen = 434;
    file_ = static_cast<int>(syscall(kPidfdOpen, pid, 0));
    if (file_ < 0) gone_ = true;
  }
  void close() {
    if (file_ >= 0) ::close(file_);
    file_ = -1;
  }
  bool is_gone() {
    pollfd ready{file_, POLLIN, 0};
    if (!gone_ && poll(&ready, 1, 0) > 0) gone_ = true;
    return gone_;
  }

 private:
  int file_ = -1;
  bool gone_ = false;
};

struct Collector::Mapped {
  Process info{};
  std::uint32_t entry = 0;
  std::uint32_t module_bytes = 0;  // how much of its list was read
  ProcessHandle handle{};
  std::size_t unknown_places = 0;  // when its maps were last looked at
  std::unique_ptr<Symbols> symbols{};
};

struct Collector::Slot {
  Thread* thread = nullptr;  // null if nobody has the slot
  std::uint32_t entry = 0;   // of its process
  std::uint64_t pthread = 0;
  std::uint64_t tail = 0;
  std::vector<trace::Event> fresh{};
  // What is being read: a stack, a name, a queue; after its event follow its bytes.
  trace::Event of{};
  std::uint64_t raw_left = 0;
  bool waits = false;  // as its events say
  std::vector<unsigned char> raw{};
};

struct Collector::LiveQueue {
  Queue info{};
  std::uint32_t pid = 0;
  std::uint64_t limit_at = 0;
  trace::Counts counts{};
  std::uint64_t items = ~std::uint64_t{0};  // the last that was written

  bool in_blocks() const { return (counts.puts.position | counts.puts.numbers) != 0; }
};

struct Collector::Snapshot {
  std::uint64_t site = 0;
  trace::Registers registers{};
  std::vector<unsigned char> bytes{};
};

}  // namespace thrum::analysis
