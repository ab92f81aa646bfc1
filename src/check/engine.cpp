// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "check/engine.h"

#include "check/fiber.h"
#include "check/modules.h"
#include "check/objects.h"
#include "check/order.h"
#include "check/server.h"
#include "check/signals.h"
#include "check/strategies/strategy.h"

namespace thrum::check {

constinit Engine engine{};

namespace {

constexpr std::int64_t kStepNs = 100;       // how long a step takes in virtual time
constexpr std::uint32_t kFruitless = 3000;  // rounds of mere looking that make a livelock

Event& last_event() noexcept {
  Result& result = engine.shared->result;
  return engine.shared->event[(result.steps - 1) % kEvents];
}

void record_stack(std::uint64_t* stack) noexcept {
  const std::uint32_t depth = take_stack(stack, kStackDepth);
  if (depth < kStackDepth) stack[depth] = 0;
}

bool records() noexcept { return engine.shared->job.record && engine.started; }

// The step that `next` makes now.
[[gnu::always_inline]] inline void log(Thread& next, const Candidates& candidates,
                                       bool preempts) noexcept {
  Execution& run = engine.run;
  Shared& shared = *engine.shared;
  Result& result = shared.result;
  const std::uint32_t object = object_number(next.object);
  const std::uint64_t step = static_cast<std::uint64_t>(next.id) << 56 ^
                             static_cast<std::uint64_t>(next.op) << 48 ^
                             static_cast<std::uint64_t>(object) << 24;
  run.shape = mix(run.shape ^ step);
  run.hash = (run.hash ^ step ^ relative(next.pc)) * 1099511628211U;
  run.hash ^= run.hash >> 29;
  Event& event = shared.event[result.steps % kEvents];
  event = {next.pc,
           reinterpret_cast<std::uintptr_t>(next.object),
           0,
           object,
           next.id,
           next.op,
           static_cast<std::uint8_t>((preempts ? kPreempts : 0) | (next.timed_out ? kGaveUp : 0)),
           static_cast<std::uint8_t>(candidates.count)};
  ++result.steps;
  ++next.steps;
  next.last_run = result.steps;
  run.now_ns += kStepNs;
  order_at_step(result.steps);
  if (result.steps > shared.job.max_steps) {
    finish(Outcome::cut_off, "more steps than allowed");
  }
}

// A timed wait gives up only when nothing else can happen: the one whose time is up first.
bool give_up_a_wait() noexcept {
  Thread* first = nullptr;
  for (std::uint32_t i = 0; i < engine.run.threads; ++i) {
    Thread& thread = engine.thread[i];
    if (thread.finished || thread.deadline == kNever || thread.timed_out) continue;
    if (first == nullptr || thread.deadline < first->deadline) first = &thread;
  }
  if (first == nullptr) return false;
  if (engine.run.now_ns < first->deadline) engine.run.now_ns = first->deadline;
  first->timed_out = true;
  return true;
}

bool can_go_on(Thread& thread) noexcept {
  thread.early = false;
  if (thread.timed_out || is_possible(thread)) return true;
  if (thread.deadline == kNever || !engine.shared->result.early_timeouts) return false;
  thread.early = true;
  return true;
}

// Who only looks on lets the others go first. Where time may be up whenever, it may also be faster
// than they are, until its patience with a wait is over: so many tries and it would sleep.
bool is_polite(const Thread& thread) noexcept {
  constexpr std::uint32_t kTries = 64;
  if (!thread.yielded && !thread.spinning) return false;
  return !engine.shared->result.early_timeouts || thread.idle_steps >= kTries;
}

// Fills in who could go on. Returns false if nobody ever will.
[[gnu::noinline]] bool collect(Candidates& candidates) noexcept {
  Execution& run = engine.run;
  candidates.current = run.current;
  for (;;) {
    std::uint32_t polite = 0;
    std::uint32_t spinning = 0;
    std::uint32_t n = 0;
    for (std::uint32_t i = 0; i < run.threads; ++i) {
      Thread& thread = engine.thread[i];
      if (thread.finished || !can_go_on(thread)) continue;
      candidates.thread[n++] = &thread;
      polite += is_polite(thread) ? 1 : 0;
      spinning += thread.spinning ? 1 : 0;
    }
    candidates.count = n;
    candidates.all_spin = false;
    if (n == 0) {
      if (give_up_a_wait()) continue;
      return false;
    }
    if (polite != 0 && polite < n) {
      std::uint32_t kept = 0;
      for (std::uint32_t i = 0; i < n; ++i) {
        Thread* const thread = candidates.thread[i];
        if (!is_polite(*thread)) candidates.thread[kept++] = thread;
      }
      candidates.count = kept;
      run.fruitless = 0;
    } else if (spinning == n) {
      if (give_up_a_wait()) continue;
      candidates.all_spin = true;
      if (++run.fruitless > kFruitless) finish_stuck(Outcome::livelock);
    } else if (polite == n) {
      // Everybody yields or sleeps: time passes for who waits.
      if (++run.fruitless > kFruitless && give_up_a_wait()) continue;
    }
    return true;
  }
}

[[gnu::noinline]] Thread* usual_of(const Candidates& candidates) noexcept {
  if (candidates.all_spin) return least_recent(candidates);
  Thread* first = nullptr;
  for (std::uint32_t i = 0; i < candidates.count; ++i) {
    Thread* const thread = candidates.thread[i];
    if (thread == candidates.current && !thread->early && !thread->yielded) return thread;
    if (thread->early || thread->yielded) continue;
    if (first == nullptr) first = thread;
  }
  return first != nullptr ? first : least_recent(candidates);
}

// The same where nobody yields, spins, or may give up by time: in short. Returns false if anybody
// does, or nobody can go on.
[[gnu::always_inline]] inline bool collect_in_short(Candidates& candidates) noexcept {
  const Execution& run = engine.run;
  std::uint64_t special = 0;
  std::uint32_t n = 0;
  for (std::uint32_t i = 0; i < run.alive; ++i) {
    Thread* const thread = engine.alive[i];
    special |= static_cast<std::uint64_t>(thread->deadline ^ kNever);
    special |= static_cast<std::uint64_t>(thread->yielded | thread->spinning);
    candidates.thread[n] = thread;
    n += is_possible(*thread) ? 1 : 0;
  }
  if (special != 0 || n == 0) return false;
  candidates.count = n;
  candidates.current = run.current;
  candidates.all_spin = false;
  candidates.usual = is_possible(*run.current) ? run.current : candidates.thread[0];
  return true;
}

// What the decision means for who yields, spins or gives up.
[[gnu::noinline]] void behave(Thread& before, Thread& next) noexcept {
  Execution& run = engine.run;
  // Who yields does so for one decision, and for the next if that was his own.
  if (run.yielder != nullptr && run.yielder != &before) run.yielder->yielded = false;
  run.yielder = before.yielded ? &before : nullptr;
  if (next.yielded || next.spinning) ++next.idle_steps;
  next.yielded = false;
  if (next.early) {
    next.timed_out = true;
    next.early = false;
    // Who looks at a clock now sees that it was time.
    if (run.now_ns < next.deadline) run.now_ns = next.deadline;
  }
}

[[gnu::always_inline]] inline Thread* pick() noexcept {
  Candidates candidates;
  Execution& run = engine.run;
  Shared& shared = *engine.shared;
  Thread* const before = run.current;
  const bool is_short = collect_in_short(candidates);
  if (!is_short) [[unlikely]] {
    if (!collect(candidates)) finish_stuck(Outcome::deadlock);
    candidates.usual = usual_of(candidates);
  }
  Thread* next = candidates.usual;
  // Inside an atomic block the others run only if this one cannot.
  const bool alone = candidates.count == 1 || (run.atomic_depth != 0 && candidates.usual == before);
  if (engine.started && !alone) {
    next = strategy(shared.result.strategy).next(candidates);
    ++shared.result.decisions;
    if (next != candidates.usual) {
      Schedule& happened = shared.happened;
      if (happened.switches < kSwitches) {
        happened.moves[happened.switches] = {before->id, next->id,
                                             static_cast<std::uint8_t>(run.shape), before->steps};
      }
      ++happened.switches;
    }
  }
  if (is_short) [[likely]] {
    run.yielder = nullptr;
  } else {
    behave(*before, *next);
  }
  if (engine.started) {
    // Who yields, or only looks on, is not preempted.
    log(*next, candidates, next != before && candidates.usual == before);
  }
  return next;
}

[[gnu::always_inline]] inline void switch_to(Thread& next) noexcept {
  Thread& before = self();
  if (&next == &before) return;
  engine.run.current = &next;
  order_at_thread(next.id);
  switch_fiber(before, next);
}

[[gnu::always_inline]] inline void publish(Thread& me, Op op, const void* object, Pc pc,
                                           std::int64_t deadline, const void* with) noexcept {
  me.op = op;
  me.object = object;
  me.with = with;
  me.pc = pc;
  me.deadline = deadline;
  me.timed_out = me.is_caught = me.interrupted = false;
  set_gate(me);
  if (records()) record_stack(engine.shared->pending[me.id]);
  // A wait whose time is up already is one try.
  if (deadline != kNever && deadline <= engine.run.now_ns && !is_possible(me)) me.timed_out = true;
}

[[gnu::always_inline]] inline bool take_turn(Thread& me) noexcept {
  switch_to(*pick());
  // Here this thread runs again.
  const bool gave_up = me.timed_out && !is_possible(me);
  me.deadline = kNever;
  me.timed_out = false;
  Shared& shared = *engine.shared;
  if (const std::uint32_t step = shared.result.steps - 1; records() && step < kEvents) {
    for (std::uint32_t i = 0; i < kStackDepth; ++i) {
      shared.stack[step][i] = shared.pending[me.id][i];
    }
  }
  return !gave_up;
}

}  // namespace

bool point(Op op, const void* object, Pc pc, std::int64_t deadline, const void* with) noexcept {
  // Who waits for a signal waits for a handler as well, and has to know that it has run.
  if (engine.run.signals != 0 && op != Op::signal_wait) [[unlikely]]
    run_signal_handlers(pc);
  for (;;) {
    Thread& me = self();
    publish(me, op, object, pc, deadline, with);
    const bool in_time = take_turn(me);
    if (me.op == Op::handler) [[unlikely]] {  // somebody has sent it a signal meanwhile
      const bool is_caught = me.is_caught;    // the handlers have points of their own
      const Handled handled = run_signal_handlers(pc);
      // As Linux has it: what ends by time is ended by all of them, a wait without not by those
      // that ask to restart it.
      const bool has_end = op == Op::sleep || deadline != kNever;
      if (is_caught && (has_end ? handled.count != 0 : handled.breaks)) {
        me.interrupted = true;
        return false;
      }
      continue;
    }
    if (!in_time) note_flag(kGaveUp);
    return in_time;
  }
}

bool block(Op op, const void* object, Pc pc, std::int64_t deadline, const void* with) noexcept {
  self().signalled = false;
  return point(op, object, pc, deadline, with);
}

void leave() noexcept {
  for (;;) switch_to(*pick());
}

std::uint32_t decide(std::uint32_t n, Pc) noexcept {
  Thread& me = self();
  if (n < 2 || !engine.started) return 0;
  const std::uint32_t chosen = strategy(engine.shared->result.strategy).decide(n);
  Schedule& happened = engine.shared->happened;
  if (chosen != 0) {
    if (happened.choices < kChoices) {
      happened.choice[happened.choices] = {me.id, static_cast<std::uint16_t>(chosen), me.choices};
    }
    ++happened.choices;
  }
  ++me.choices;
  engine.run.hash = (engine.run.hash ^ chosen) * 1099511628211U;
  return chosen;
}

void note_value(std::uint64_t value) noexcept {
  if (!engine.started) return;
  Event& event = last_event();
  event.value = value;
  event.flags |= kHasValue;
}

void note_flag(EventFlag flag) noexcept {
  if (engine.started) last_event().flags |= flag;
}

void looked_at(const void* address, std::uint64_t value, Pc pc, std::uint32_t patience) noexcept {
  Thread& me = self();
  for (std::uint32_t i = 0; i < me.spins; ++i) {
    Spin& spin = me.spin[i];
    if (spin.pc != pc || spin.address != address) continue;
    if (spin.value != value) {
      spin.value = value;
      spin.times = 0;
    } else if (++spin.times >= patience) {
      me.spinning = engine.run.any_spun = true;
    }
    return;
  }
  if (me.spins < sizeof me.spin / sizeof me.spin[0]) me.spin[me.spins++] = {pc, address, value, 0};
}

void wake_spinners(const void* address) noexcept {
  const std::uintptr_t place = reinterpret_cast<std::uintptr_t>(address) >> 3;
  for (std::uint32_t i = 0; i < engine.run.threads; ++i) {
    Thread& thread = engine.thread[i];
    if (!thread.spinning || &thread == engine.run.current) continue;
    for (std::uint32_t k = 0; k < thread.spins; ++k) {
      if (reinterpret_cast<std::uintptr_t>(thread.spin[k].address) >> 3 != place) continue;
      thread.spinning = false;
      thread.spins = 0;
      break;
    }
  }
}

void let_go_at_length(const void* object) noexcept {
  // The holder is mostly the caller; a semaphore-like use of a mutex is another thread's.
  for (std::uint32_t t = 0; t <= engine.run.threads; ++t) {
    Thread& thread = t == 0 ? self() : engine.thread[t - 1];
    const std::uint32_t n = thread.held_count < kMaxHeld ? thread.held_count : kMaxHeld;
    for (std::uint32_t i = n; i > 0; --i) {
      if (thread.held[i - 1].object != object) continue;
      for (std::uint32_t k = i; k < n; ++k) thread.held[k - 1] = thread.held[k];
      --thread.held_count;
      return;
    }
  }
}

Thread* holder_of(const void* object) noexcept {
  for (std::uint32_t t = 0; t < engine.run.threads; ++t) {
    Thread& thread = engine.thread[t];
    const std::uint32_t n = thread.held_count < kMaxHeld ? thread.held_count : kMaxHeld;
    for (std::uint32_t i = 0; i < n; ++i) {
      if (thread.held[i].object == object) return &thread;
    }
  }
  return nullptr;
}

// Where a debugger stops: the program has failed, all its threads are where they were.
extern "C" __attribute__((visibility("default"), noinline)) void thrum_check_found(
    const char* what) {
  __asm__ volatile("" ::"r"(what) : "memory");
}

void finish(Outcome outcome, const char* message, int status, Pc pc) noexcept {
  Result& result = engine.shared->result;
  engine.on = false;
  result.outcome = outcome;
  result.status = status;
  result.thread = self().id;
  result.threads = engine.run.threads;
  result.hash = engine.run.hash;
  result.pc = pc;
  if (message != nullptr && result.message[0] == 0) {
    copy_text(result.message, sizeof result.message, message);
  }
  if (result.stack_depth == 0) result.stack_depth = take_stack(result.stack, 32);
  if (own_threads() && is_finding(outcome)) thrum_check_found(result.message);
  server_process_ends();
}

namespace {

// The first decision of an execution. A depth-first search does without, as it would double.
void decide_reuse() noexcept {
  const bool was_started = engine.started;
  engine.started = true;
  engine.run.reuses = false;
  if (engine.shared->result.strategy == StrategyId::dfs) {
    ++self().choices;
    engine.run.hash *= 1099511628211U;
  } else {
    engine.run.reuses = decide(2, 0) != 0;
  }
  engine.started = was_started;
}

}  // namespace

void begin_process() noexcept {
  Thread& main = engine.thread[0];
  main.handle = pthread_self();
  main.thread_pointer = static_cast<std::uint64_t>(main.handle);
  main.deadline = kNever;
  engine.run.current = &main;
  main.runs = 1;
  engine.alive[0] = &main;
  engine.run.threads = engine.run.living = engine.run.alive = 1;
  order_begin();
}

void begin_execution(std::uint64_t number) noexcept {
  Shared& shared = *engine.shared;
  const Job& job = shared.job;
  Result& result = shared.result;
  result.outcome = Outcome::running;
  result.message[0] = 0;
  result.stack_depth = result.blocked_count = result.diverged_at = 0;
  result.steps = result.decisions = 0;
  result.pc = result.address = 0;
  result.schedule_number = number;
  result.strategy = strategy_for(job, number);
  result.early_timeouts =
      job.timeouts == Timeouts::any || (job.timeouts == Timeouts::some && number % 4 == 3);
  shared.happened.switches = shared.happened.choices = shared.happened.points = 0;
  shared.new_points = shared.notes = 0;
  Execution& run = engine.run;
  run.random = mix(job.seed * kGolden + number * 0xd1b54a32d192ed03U);
  run.hash = 1469598103934665603U;
  run.shape = 0;
  // Switching at every plain access that ever raced buries the interesting ones: often at none or
  // at all of them, else at some.
  run.sampled_salt = static_cast<std::uint32_t>(random_number());
  static constexpr std::uint32_t kShares[] = {0, 256, 32, 96};
  run.sampled_of_256 = kShares[random_number() % 4];
  // Where executions repeat each other's decisions, all have the same points.
  if (result.strategy == StrategyId::replay || result.strategy == StrategyId::dfs) {
    run.sampled_of_256 = 256;
  }
  begin_plain_points();
  engine.thread[0].priority = random_number() | std::uint64_t{1} << 40;
  run.kept = run.first_kept = 0;
  run.kept_bytes = 0;
  strategy(result.strategy).begin();
  decide_reuse();
}

void account() noexcept {
  Shared& shared = *engine.shared;
  const Result& result = shared.result;
  // What is made again in a fork counts there.
  if (shared.job.again || result.outcome == Outcome::kernel_state) return;
  Counts& counts = shared.counts;
  ++counts.schedules;
  ++counts.by_strategy[static_cast<std::uint32_t>(result.strategy)];
  counts.steps += result.steps;
  counts.decisions += result.decisions;
  if (result.outcome == Outcome::cut_off) ++counts.cut_off;
  if (result.outcome == Outcome::assumed_away) ++counts.assumed_away;
  if (result.strategy == StrategyId::replay) return;
  learn();
  Estimates& estimates = shared.estimates;
  if (result.decisions > estimates.decisions) estimates.decisions = result.decisions;
  for (std::uint32_t i = 0; i < engine.run.threads; ++i) {  // the zygote has one
    std::uint32_t& most = estimates.steps[i];
    if (engine.thread[i].steps > most) most = engine.thread[i].steps;
  }
  for (std::uint32_t i = 0; i < shared.new_points; ++i) {
    bool known = false;
    for (std::uint32_t k = 0; k < shared.points; ++k) {
      known |= shared.point[k] == shared.new_point[i];
    }
    if (!known && shared.points < kPoints) shared.point[shared.points++] = shared.new_point[i];
  }
}

}  // namespace thrum::check
