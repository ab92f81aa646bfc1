// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What the kernel says of a process and its threads in /proc. Nobody is stopped for it.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/recording.h"

namespace thrum::analysis {

/// A system call that a thread is blocked in.
struct Call {
  long number = -1;  ///< -1: in the kernel without one, for a page say
  std::array<std::uint64_t, 6> arguments{};
  std::uint64_t sp = 0, pc = 0;
};

/// How much a thread ran until some moment.
struct Turns {
  std::uint64_t running_ns = 0, ready_ns = 0;
  std::uint64_t times = 0;  ///< how often it got a processor: it did not move while this stays
  bool operator==(const Turns&) const = default;
};

/// The files of one thread, kept open: a look costs some microseconds.
class TaskFiles {
 public:
  TaskFiles(pid_t pid, pid_t tid);
  ~TaskFiles();
  TaskFiles(TaskFiles&& other) noexcept;
  TaskFiles& operator=(TaskFiles&& other) noexcept;

  /// Each returns nothing if the thread is gone.
  std::optional<Turns> turns();
  std::optional<char> state();
  /// Returns nothing also if it runs, or wants to, or may not be looked at.
  std::optional<Call> call();

 private:
  struct File {
    const char* name;
    int file = -1;
  };
  std::string read(File& file);
  void close();

  std::string folder_;
  File turns_{"schedstat"}, state_{"stat"}, call_{"syscall"};
};

/// Returns the ids of a process's threads.
std::vector<pid_t> tasks_of(pid_t pid);
/// Returns the kernel's name of a thread; empty if it is gone.
std::string comm_of(pid_t pid, pid_t tid);
/// Returns a thread's id in its own pid namespace: the one that it writes into its memory.
std::uint32_t inner_id(pid_t pid, pid_t tid);
/// Returns when a thread last had a processor, before now; nothing if the kernel does not tell.
std::optional<std::uint64_t> ns_since_it_ran(pid_t pid, pid_t tid);
/// Returns how often a thread lost its processor, of its own will and not.
std::pair<std::uint64_t, std::uint64_t> switches_of(pid_t pid, pid_t tid);
std::vector<std::string> command_of(pid_t pid);
/// Returns what a descriptor of the process is, as the kernel writes it.
std::string descriptor_of(pid_t pid, std::uint64_t descriptor);
/// Returns the files that hold code of the process, with the addresses that they have there.
std::vector<Module> modules_of(pid_t pid);

/// Returns why a process cannot be looked at, in one line that names what would help; empty if it
/// can.
std::string why_not_attach(pid_t pid);

/// Returns the name of a system call, as `epoll_wait`.
std::string name_of_call(long number);
/// Returns whether a system call waits for a word of memory, its first argument.
bool is_futex(long number);
/// Returns whether a system call does nothing but to wait for a time.
bool is_sleep(long number);
/// Returns whether a thread in the system call `waker` can let go one that sleeps in `sleeper`.
bool may_wake(long waker, long sleeper);
/// Returns whether the first argument of a system call is a descriptor that it waits for.
bool waits_for_descriptor(long number);

}  // namespace thrum::analysis
