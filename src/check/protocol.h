// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What the controller (src/explore) and the checked process (src/check) share: one mapping, made by
// the controller and inherited as a descriptor. Plain data; both sides are built together.
//
// Edges
//   [command] post -> take: the job, for the process that waits for it.
//   [answer] answer -> await: result, events and counts, for the controller.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace thrum::check {

inline constexpr std::uint32_t kProtocol = 1;
inline constexpr std::uint32_t kThreads = 128;
inline constexpr std::uint32_t kEvents = 1U << 16;
inline constexpr std::uint32_t kSwitches = 1U << 13;
inline constexpr std::uint32_t kChoices = 1U << 10;
inline constexpr std::uint32_t kPoints = 1U << 10;
inline constexpr std::uint32_t kModules = 128;
inline constexpr std::uint32_t kStackDepth = 12;
/// The environment variable that holds the descriptor of the mapping.
inline constexpr const char* kDescriptorVariable = "THRUM_CHECK_DESCRIPTOR";

/// What a thread does at a scheduling point. A `..._blocked` one sleeps until another wakes it.
// The hash of an execution is made of their numbers: new ones come last.
enum class Op : std::uint8_t {
  start,
  read,
  write,
  atomic_load,
  atomic_store,
  atomic_rmw,
  fence,
  lock,
  trylock,
  unlock,
  relock,  // the lock of a condition, taken again after the wait
  read_lock,
  write_lock,
  rw_unlock,
  spin_lock,
  condition_wait,
  condition_blocked,
  signal,
  broadcast,
  create,
  created,
  join,
  thread_end,
  yield,
  sleep,
  semaphore_wait,
  semaphore_post,
  barrier_wait,
  barrier_blocked,
  futex_wait,
  futex_blocked,
  futex_wake,
  once,
  once_blocked,
  choose,
  cancel,
  process_end,
  signal_send,
  signal_wait,
  handler,  // of a signal that has come
  pause,
};
inline constexpr std::uint32_t kOps = static_cast<std::uint32_t>(Op::pause) + 1;

enum class Outcome : std::uint8_t {
  running,  // nobody wrote a result: the process died
  clean,
  // findings
  assertion,
  aborted,
  crash,
  exception,
  exit_status,
  deadlock,
  lost_wakeup,
  livelock,
  race,
  use_after_free,
  leak,
  hang,
  // no findings, and no clean ends either
  cut_off,       // too many steps
  assumed_away,  // assume(false)
  more_donors,   // has to be run again with more threads prepared
  kernel_state,  // cannot be restored in place: run it in a fork
  unsupported,
};
constexpr bool is_finding(Outcome outcome) noexcept {
  return outcome >= Outcome::assertion && outcome <= Outcome::hang;
}

enum class StrategyId : std::uint8_t { rotation, random, pct, pos, urw, surw, rff, dfs, replay };
inline constexpr std::uint32_t kStrategies = static_cast<std::uint32_t>(StrategyId::replay) + 1;

using EventFlag = std::uint8_t;
constexpr EventFlag kPreempts = 1;  // the thread before could have gone on
constexpr EventFlag kGaveUp = 2;    // by time
constexpr EventFlag kFailed = 4;    // a try that did not succeed, a value that differed
constexpr EventFlag kHasValue = 8;

struct Event {
  std::uint64_t pc;
  std::uint64_t address;
  std::uint64_t value;
  std::uint32_t object;  // by first use in this execution, from 1; 0: none
  std::uint8_t thread;
  Op op;
  std::uint8_t flags;
  std::uint8_t enabled;  // how many threads could have been chosen
};

/// At step `step` of `thread`, continue with `to` instead of what the default policy says.
struct Switch {
  std::uint8_t thread, to;
  std::uint8_t check;  // of who did what before, to see where a replay differs
  std::uint32_t step;
};
/// The `index`th choice of `thread` has this value, not 0.
struct Choice {
  std::uint16_t thread, value;
  std::uint32_t index;
};

struct Schedule {
  std::uint32_t switches, choices, points;
  Switch moves[kSwitches];
  Choice choice[kChoices];
  std::uint64_t point[kPoints];  // addresses after plain accesses at which threads may switch
};

/// What the strategies know of the executions before. Part of what a schedule depends on.
struct Estimates {
  std::uint32_t decisions;
  std::uint32_t steps[kThreads];
};

/// What SURW knows of an execution: who made how many operations on which object.
struct Census {
  static constexpr std::uint32_t kSlots = 256;  // a hash table
  struct Object {
    std::uint64_t address;  // 0: no object
    std::uint16_t by[kThreads];
  };
  Object object[kSlots];
  std::uint8_t shared[kSlots];  // the slots of objects that more than one thread used
  std::uint32_t shared_count;
  std::uint32_t threads, steps;
  std::int16_t parent[kThreads];
  std::uint32_t age;  // how many executions have used it
  bool is_taken_now;  // by the execution under way
};

/// What reads-from feedback knows of the executions before (strategies/rff.cpp).
struct Feedback {
  static constexpr std::uint32_t kPlaces = 512, kSlots = 1024, kSeenSlots = 8192;
  static constexpr std::uint32_t kMostWishes = 6, kKept = 64;
  static constexpr std::uint16_t kNobody = 0xffff;  // as a writer: what was there at first
  struct Place {                                    // what a thread does, where, with which object
    std::uint64_t pc, address;
    Op op;
    std::uint8_t thread;
  };
  struct Wish {  // that the reader sees what the writer wrote, or does not
    std::uint16_t writer, reader;
    bool is_forbidden;
  };
  struct Wishes {
    std::uint32_t count;
    Wish wish[kMostWishes];
  };
  struct Kept {
    Wishes wishes;
    std::uint32_t times;  // that it was used
  };
  std::uint32_t places, pairs, seen_count, kept_count;
  Place place[kPlaces];
  std::uint64_t times[kPlaces];      // that a thread was there
  std::uint16_t place_slot[kSlots];  // a hash table of places, from 1; 0: empty
  std::uint64_t seen[kSeenSlots];    // a hash table of pairs and sets of wishes; 0: empty
  Kept kept[kKept];
  std::uint32_t shortest;  // execution that came to an end, in steps
  // Of the execution under way.
  Wishes now;
  std::uint32_t patience;  // for so many decisions threads are held back
};

/// The last execution in place, and what it depended on: it is made again in a fresh process.
struct Checked {
  std::uint64_t number, hash;
  std::uint32_t points;
  Estimates estimates;
  bool is_asked;  // it shall be now
};

/// When a timed wait gives up: if nothing else can run; whenever; the latter in some executions.
enum class Timeouts : std::uint8_t { last, any, some };

inline constexpr std::uint8_t kAnyNumber = 255;  // of preemptions

/// One of two accesses that race.
struct Side {
  std::uint64_t pc, address, step;
  std::uint32_t size;
  std::uint8_t thread;
  bool is_write, is_atomic, is_free;
};

/// A point at which a thread released, or acquired: one end of what puts accesses in order.
enum class OrderedBy : std::uint8_t { nothing, object, atomic, fence, create, join };
struct OrderPoint {
  std::uint64_t pc, object, step;  // object: an address; 0 for a fence, a thread's birth, its join
  OrderedBy by;
};

/// What a program did that is not under control, by bits.
using Uncontrolled = std::uint32_t;
constexpr Uncontrolled kSharesWithProcesses = 1;  // locks, or words that threads wait at
constexpr Uncontrolled kStartsProcesses = 2;
constexpr Uncontrolled kUsesNetwork = 4;
constexpr Uncontrolled kHasTimers = 8;  // whose signals come by themselves
inline constexpr std::uint32_t kUncontrolledKinds = 4;

inline constexpr std::uint32_t kPatterns = 32;
inline constexpr std::uint32_t kPatternBytes = 1024;

struct Job {
  StrategyId strategy;
  Timeouts timeouts;
  bool fast;    // restore in place instead of a fork per schedule
  bool record;  // stacks and values, for a report
  bool races;   // a race is a finding
  bool leaks;   // so is a lock or thread that is left over
  bool show_output;
  bool again;                     // the same execution once more: it does not count
  std::uint8_t own_threads;       // not 0: replay at once, each of so many threads a system's own
  std::uint8_t depth;             // of PCT, 0: varies
  std::uint8_t most_preemptions;  // of DFS
  std::uint32_t max_steps;
  std::uint64_t seed;
  std::uint64_t first, stride, count;  // the numbers of the schedules to run
  bool watches;  // the stack of the access below is wanted; set by the runtime itself
  Side watched;  // the first of two that race
  char suppressed[kPatternBytes];  // modules whose races are no findings: file names, * and ?, each
                                   // ended by a newline
};

/// Who waits for what, when nothing can go on.
struct Blocked {
  Op op;
  std::uint8_t thread;
  std::int16_t holder;  // thread that holds or is it; -1: nobody
  bool holder_ended;
  std::uint32_t object;
  std::uint64_t address;
};

struct Result {
  Outcome outcome;
  std::uint8_t thread;  // who was running
  std::int32_t status;  // exit status or signal
  std::uint64_t schedule_number;
  StrategyId strategy;
  bool early_timeouts;  // in this execution timed waits gave up whenever
  std::uint32_t threads;
  std::uint32_t steps, decisions;
  std::uint64_t hash;
  std::uint64_t address;  // of a crash
  std::uint64_t pc;
  std::uint32_t stack_depth;
  std::uint64_t stack[32];
  std::uint32_t blocked_count;
  Blocked blocked[kThreads];
  // Of a race: who came first and who second; their stacks, if recorded, each ended by 0; and the
  // missing edge: where the first thread released next after its access, and what the second had
  // acquired last. The first is what the second would have had to acquire.
  Side race[2];
  std::uint64_t race_stack[2][kStackDepth];
  OrderPoint released, acquired;
  std::uint32_t diverged_at;  // step at which a replayed schedule could not be followed; 0: never
  char message[512];
};

struct ThreadFacts {
  std::uint64_t function, created_pc;
  std::int16_t parent;
  char name[16];
};

struct ModuleFacts {
  std::uint64_t base, begin, end;
  char path[232];
};

/// A node of the depth-first search: what could be chosen, and what was.
struct Node {
  std::uint8_t chosen, count;
  bool is_choice;
};

enum class Phase : std::uint32_t { starting, ready, ended };

struct Counts {
  std::uint64_t schedules, steps, decisions, cut_off, assumed_away, forks, compared;
  std::uint64_t by_strategy[kStrategies];
};

struct Shared {
  std::uint32_t protocol;
  std::atomic<std::uint32_t> command;   // counts jobs posted
  std::atomic<std::uint32_t> answered;  // counts jobs done
  std::atomic<std::uint32_t> stop;      // relaxed: ends a job after the schedule that runs
  std::atomic<std::uint32_t> progress;  // relaxed: changes while steps are made
  std::atomic<std::int32_t> worker;     // relaxed: the process that runs schedules now
  std::atomic<Phase> phase;
  std::uint32_t exploration;   // which explore() of the program is wanted
  std::uint32_t explorations;  // how many it came to
  bool refused_fast;           // the program has state in the kernel
  char refused_reason[128];
  bool exhausted;  // a depth-first search has seen all
  Uncontrolled uncontrolled;
  std::uint32_t suppressing;  // which of Job::suppressed are names of modules, by bits
  char blind[64];  // a library that orders threads by atomics which are not seen; empty: none
  Job job;
  Counts counts;
  Result result;
  std::uint32_t modules;
  ModuleFacts module[kModules];
  ThreadFacts thread[kThreads];
  Estimates estimates;
  Census census;
  Feedback feedback;
  Checked checked;
  Schedule wanted;       // for replay
  Schedule happened;     // of the last execution
  std::uint32_t points;  // plain accesses that raced, in any execution so far
  std::uint64_t point[kPoints];
  std::uint32_t new_points;  // found in this one: they count from the next on
  std::uint64_t new_point[kPoints];
  std::uint32_t depth;  // of the depth-first search
  Node node[kEvents];
  std::uint32_t notes;
  struct Note {
    std::uint32_t step;
    std::uint32_t thread;
    char text[120];
  } note[256];
  Event event[kEvents];
  std::uint32_t stacks;                          // events that have one
  std::uint64_t stack[kEvents][kStackDepth];     // when recorded; ended by 0
  std::uint64_t pending[kThreads][kStackDepth];  // of what each thread is about to do
};

}  // namespace thrum::check
