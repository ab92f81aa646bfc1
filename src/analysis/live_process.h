// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A running process, looked at from outside: no ptrace, nobody is stopped. Each thread is read on
// its own, so that what two threads show need not be of one moment; what did not move between two
// looks is certain.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "analysis/collector_state.h"
#include "analysis/procfs.h"
#include "analysis/symbols.h"
#include "analysis/wait_graph.h"
#include "analysis/waits.h"

namespace thrum::analysis {

struct LiveThread {
  LiveThread(pid_t process, pid_t id) : files(process, id), tid(static_cast<std::uint32_t>(id)) {}

  TaskFiles files;
  std::uint32_t tid;
  std::uint32_t inner = 0;   // its id where it lives: see inner_id()
  std::uint64_t serial = 0;  // never given twice
  Turns turns{};
  bool moved = true;   // since the look before this one
  bool is_new = true;  // not seen before this look
  bool blocked = false;
  char state = '?';  // as /proc has it; refreshed when it moved
  Call call{};       // of a blocked one
  Waiting waiting{};
  std::uint32_t holder = 0;            // tid, of a thread of this process; 0 none or unknown
  std::vector<std::uint64_t> stack{};  // addresses, innermost first
};

class LiveProcess {
 public:
  explicit LiveProcess(pid_t pid);

  pid_t pid() const { return pid_; }
  /// Returns whether it has ended.
  bool is_gone() { return handle_.is_gone(); }
  /// Looks at every thread; stacks only of those that moved.
  void look();
  /// By thread id. Those that ended since the last look are not among them.
  const std::map<std::uint32_t, LiveThread>& threads() const { return threads_; }
  std::map<std::uint32_t, LiveThread>& threads() { return threads_; }
  const LiveThread* by_serial(std::uint64_t serial) const;

  /// Returns what every thread does: of those that wait, who it is that they wait for, or all.
  enum class Which : std::uint8_t { for_a_holder, all };
  std::vector<Moment> moments(Which which) const;
  /// Returns the cycles of threads that wait for each other and did not move between two looks,
  /// each once.
  std::vector<Cycle> deadlocks();

  const std::vector<Module>& modules() const { return modules_; }
  std::vector<Frame> frames(std::span<const std::uint64_t> stack);
  std::string variable(std::uint64_t address) { return symbols_->variable(address); }
  /// Unwinds what is at registers that somebody else has read.
  std::vector<std::uint64_t> unwind(const trace::Registers& registers,
                                    std::span<const unsigned char> bytes, Symbols::Known known);
  /// Reads what is on a stack, as far as it goes.
  std::vector<unsigned char> read_stack(std::uint64_t sp) const;

 private:
  void look_at(LiveThread& thread);
  void find_stack(LiveThread& thread);
  void find_waiting(LiveThread& thread);
  void read_modules();

  pid_t pid_;
  ProcessHandle handle_;
  std::map<std::uint32_t, LiveThread> threads_;
  std::map<std::uint32_t, std::uint32_t> by_inner_;  // tid
  std::uint64_t serials_ = 0;
  std::vector<Module> modules_;
  std::unique_ptr<Symbols> symbols_;
  std::uint64_t modules_due_ns_ = 0;  // its maps are not looked at again before
  WaitGraph graph_;
};

}  // namespace thrum::analysis
