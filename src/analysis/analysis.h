// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What a recording says, in the words of the reports. Times are nanoseconds since its start.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "analysis/recording.h"

namespace thrum::analysis {

// state    | the thread                              | leaves the state by
// new_     | was created                             | its first moment on a processor
// ready    | wants a processor                       | getting one
// running  | has a processor                         | losing it, or its end
// runnable | one of the two: nobody recorded which   | a wait, or its end
// blocked  | waits for an object, or in the kernel   | being let go
enum class State : std::uint8_t { new_, ready, running, runnable, blocked };
inline constexpr std::size_t kStates = 5;
std::string_view name_of(State state);

struct Slice {
  static constexpr std::uint32_t kNoWait = ~std::uint32_t{0};
  std::uint64_t begin = 0, end = 0;
  State state = State::runnable;
  std::uint32_t wait = kNoWait;  ///< index in Life::waits, of a blocked one
};

struct Wait {
  std::uint64_t begin = 0, end = 0;  ///< end: the thread's, if it never came back
  trace::Kind kind{};
  bool timed = false, over = false, timed_out = false;
  std::uint64_t object = 0, site_stack = 0;
  std::uint64_t word = 0;  ///< that is slept on, if it is not the object
  const std::string* given =
      nullptr;               ///< the name that the object had been given; in the recording
  std::uint64_t holder = 0;  ///< serial of the thread that held it as the wait began; 0 unknown
  std::uint64_t waker = 0;   ///< serial of the thread that let it go; 0 unknown
  std::uint64_t woken = 0;   ///< when
};

struct Life {
  const Thread* thread = nullptr;
  std::string name{};
  std::uint64_t begin = 0, end = 0;
  std::vector<Slice> slices{};  ///< one after the other, from begin to end
  std::vector<Wait> waits{};
  std::array<std::uint64_t, kStates> ns{};  ///< adds up to end - begin
  std::uint64_t voluntary = 0, involuntary = 0;
  std::uint64_t thread_switches = 0;  ///< the processor went to a thread of the same process
  std::uint64_t left_process = 0;     ///< to another process, or idle
  std::uint64_t left_idle = 0;        ///< of these, idle; where that is known
  bool switches_known = false;
};

struct LockSite {
  std::uint32_t process = 0;
  std::uint64_t object = 0;
  trace::Kind kind{};
  std::string object_name{}, site{};
  std::uint64_t acquisitions = 0, contended = 0;
  std::uint64_t total_ns = 0, p50_ns = 0, p99_ns = 0, max_ns = 0;
  std::uint64_t held_samples = 0, held_mean_ns = 0, held_max_ns = 0;
  std::map<std::uint64_t, std::uint64_t> holders{};  ///< serial -> how often it held it meanwhile
  std::vector<std::uint64_t> stack{};                ///< of one of the waits
};

/// A queue of this project's library.
struct QueueUse {
  struct Waits {
    std::uint64_t n = 0, total_ns = 0, max_ns = 0;
  };
  struct Point {
    std::uint64_t ns, items;  ///< so many, until the next
  };
  std::uint32_t process = 0;
  std::uint64_t object = 0;
  std::string name{};
  std::uint64_t limit = 0;  ///< 0: none
  std::uint64_t begin = 0, end = 0;
  std::vector<Point> depth{};  ///< as it was looked at, and as threads waited for it
  std::uint64_t least = 0, most = 0;
  double mean = 0;  ///< over time
  Waits get{}, put{}, join{};
};

/// Locks that are taken in an order by one thread and in another order by others.
struct Inversion {
  struct Step {
    std::uint64_t thread = 0;
    std::string first{}, first_at{}, second{}, second_at{};
  };
  std::vector<Step> steps{};
};

struct Analysis {
  const Recording* recording = nullptr;
  std::uint64_t end = 0;
  std::vector<Life> lives{};                       ///< by birth
  std::map<std::uint64_t, std::size_t> life_of{};  ///< by serial
  std::vector<LockSite> contention{};              ///< the most time lost first
  std::vector<QueueUse> queues{};                  ///< the most time waited for first
  std::vector<Inversion> inversions{};
  std::uint64_t blocked_ns = 0, named_ns = 0;  ///< of all threads; of it, on a known object
  bool has_switches = false;
  bool knows_next = false;                       ///< who got the processor, or that nobody did
  std::uint64_t voluntary = 0, involuntary = 0;  ///< all that the kernel recorded
  std::map<Place, std::string> first_locked{};   ///< where an object was first used
};

/// Analyses; the recording must outlive the result.
Analysis analyse(const Recording& recording);

/// Returns the call site as the reader knows it.
std::string site_text(const Recording& recording, const Thread& thread, std::uint64_t site_stack);
/// Returns the addresses of the stack, at least the call site itself.
std::vector<std::uint64_t> stack_of(const Recording& recording, const Thread& thread,
                                    std::uint64_t site_stack);
/// Returns the name that an object had been given at a moment, else at another; null if none.
const std::string* given_name(const Recording& recording, std::uint32_t process,
                              std::uint64_t object, std::uint64_t ns = ~std::uint64_t{0});
/// Returns what an object is called: `given`, else its variable, else where it was first locked,
/// else its address.
std::string object_text(const Analysis& analysis, const Thread& thread, std::uint64_t object,
                        trace::Kind kind, const std::string* given);

// The parts of analyse().
void find_lives(Analysis& analysis);
void classify_switches(Analysis& analysis);
void find_contention(Analysis& analysis);
void find_queues(Analysis& analysis);
void find_inversions(Analysis& analysis);

}  // namespace thrum::analysis
