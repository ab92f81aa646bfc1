// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/tour/section.h"

#include <fmt/format.h>
#include <sched.h>

#include <array>
#include <chrono>

namespace thrum::cli {

using namespace std::chrono_literals;

std::span<const Section> sections() {
  static constexpr std::array<Section, 10> kSections{{
      {"thread", "Thread", "A function that runs beside the others, on its own.", thread_section},
      {"lifecycle", "Lifecycle",
       "New -start-> Runnable [Ready <-> Running] -waiting-> Blocked -resume-> Runnable -> "
       "Terminated, by return or abnormally. Each state below was seen by another thread.",
       lifecycle_section},
      {"structure", "Thread structure",
       "Threads share memory, code, open files and sockets. Each has its own registers and its own "
       "stack: that is why local variables are thread safe.",
       structure_section},
      {"scheduler", "Scheduler",
       "Who runs next? To another thread of the same process is a thread switch; to another "
       "process "
       "a full process switch, with another address space.",
       scheduler_section},
      {"lock", "Lock", "One at a time.", lock_section},
      {"semaphore", "Semaphore",
       "A pool of permits, one unless said otherwise. acquire() takes one, and blocks at zero "
       "until "
       "a release().",
       semaphore_section},
      {"bounded-semaphore", "BoundedSemaphore",
       "A semaphore for which one release too many is an error.", bounded_semaphore_section},
      {"event", "Event", "One thread says that something happened, others wait for it.",
       event_section},
      {"condition", "Condition",
       "A lock with a waiting room: for producers and consumers of shared data.",
       condition_section},
      {"queue", "Queue",
       "Better than a condition or an event when threads pass work on: put, get, task_done, join.",
       queue_section},
  }};
  return kSections;
}

bool look_until(const std::stop_token& stop, const std::function<bool()>& seen,
                std::chrono::seconds patience) {
  const Deadline over = Deadline(patience).or_stop(stop);
  Event never;
  while (!seen()) {
    if (over.expired()) return false;
    (void)never.wait(Deadline(100us).or_stop(stop));
  }
  return true;
}

ThreadState look_until_blocked(const std::stop_token& stop, const ThreadHandle& thread,
                               Waitable on) {
  ThreadState state;
  (void)look_until(stop, [&] {
    state = thread.state();
    return is_blocked(state, on);
  });
  return state;
}

bool is_blocked(const ThreadState& state, Waitable on) {
  return state.life == Life::blocked && state.blocked_on.kind == on;
}

std::int64_t blocked_for_ns(const ThreadState& state) {
  return state.life == Life::blocked ? Deadline::now_ns() - state.blocked_on.since_ns : 0;
}

std::string name_of(std::uint32_t native_id) {
  for (const ThreadHandle& thread : threading::enumerate()) {
    if (thread.native_id() == native_id) return thread.name();
  }
  return {};
}

std::string address(const void* pointer) {
  return fmt::format("{:#x}", reinterpret_cast<std::uintptr_t>(pointer));
}

std::string words_of(const std::exception_ptr& exception) {
  if (!exception) return {};
  try {
    std::rethrow_exception(exception);
  } catch (const UsageError& error) {
    return std::string("UsageError, ") + error.what();
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

std::vector<int> usable_cpus() {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &usable)) cpus.push_back(cpu);
  }
  return cpus;
}

int usable_cpu() {
  const std::vector<int> cpus = usable_cpus();
  return cpus.empty() ? -1 : cpus.back();
}

}  // namespace thrum::cli
