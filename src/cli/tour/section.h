// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The stations of the tour: the headings of the founding README, each with code that runs.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "cli/tour/report.h"
#include "thrum/threading.h"

namespace thrum::cli {

/// What every section gets.
struct Tour {
  Report& report;
  std::stop_token stop;
  std::string path;                  ///< what the pipeline works on
  std::vector<std::string> exclude;  ///< names that it leaves out
  std::size_t workers = 2;
  /// What may take long to end, after a stop; ended once all is told.
  std::vector<std::shared_ptr<void>> leftovers{};
};

struct Section {
  std::string_view name;  ///< for --only
  std::string_view title;
  std::string_view about;
  void (*run)(Tour& tour);
};

/// Returns all sections, in the order of the founding README.
std::span<const Section> sections();

void thread_section(Tour& tour);
void lifecycle_section(Tour& tour);
void structure_section(Tour& tour);
void scheduler_section(Tour& tour);
void lock_section(Tour& tour);
void semaphore_section(Tour& tour);
void bounded_semaphore_section(Tour& tour);
void event_section(Tour& tour);
void condition_section(Tour& tour);
void queue_section(Tour& tour);

/// Looks again and again until `seen` returns true.
/// Returns false if it did not within `patience`, or before a stop was requested.
bool look_until(const std::stop_token& stop, const std::function<bool()>& seen,
                std::chrono::seconds patience = std::chrono::seconds(5));

/// Waits until the thread is blocked on something of that kind.
/// Returns the state that was seen.
ThreadState look_until_blocked(const std::stop_token& stop, const ThreadHandle& thread,
                               Waitable on);

/// Returns whether the state is blocked, on something of that kind.
bool is_blocked(const ThreadState& state, Waitable on);
/// Returns how long a blocked thread has been so.
std::int64_t blocked_for_ns(const ThreadState& state);

/// Returns the name of the thread with that native id, empty if none has it.
std::string name_of(std::uint32_t native_id);

/// Returns an address as text.
std::string address(const void* pointer);

/// Returns what the exception says, after its type if it is one of ours.
std::string words_of(const std::exception_ptr& exception);

/// Returns the processors that this thread may use; none if that cannot be found out.
std::vector<int> usable_cpus();
/// Returns one of them, the last; -1 if there are none.
int usable_cpu();

}  // namespace thrum::cli
