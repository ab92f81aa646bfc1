// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [end] terminated -> join, is_alive: all a thread did happens before what is done after join().
//   [owner] attach -> current: a record is made before its node points to it.
//   [refused] start -> native_id: seq_cst puts "the start failed; does somebody want the id?" and
//         "I want the id; did the start fail?" in one order, so at least one of the two sees the
//         other.
#include "threading/thread_record.h"

#include <cxxabi.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "threading/kernel.h"
#include "threading/timer_record.h"
#include "waist/sleep.h"

namespace thrum {
namespace {

constinit ThreadRecord* list_first = nullptr;    // guarded by the registry
constinit ThreadRecord* main_record = nullptr;   // the same; once made, never freed
constinit ThreadRecord* lost_in_fork = nullptr;  // keeps them reachable, for leak checkers
constinit std::atomic<unsigned> forks{0};        // how many lie between us and the first process

// In the child of a fork, of a thread that exists only in the parent. With the registry held.
void forget(ThreadRecord& record) noexcept {
  // Never freed: its thread was in the middle of something, what it holds is not ours to destroy.
  record.unlink();
  record.next = lost_in_fork;
  lost_in_fork = &record;
  record.end = End::forked;
  record.state.store(ThreadRecord::kReaped, std::memory_order_release);  // [end]
}

// The thread is gone; called in it, or in the child of a fork.
void on_gone(void* owner, waist::Gone how) noexcept {
  ThreadRecord& record = *static_cast<ThreadRecord*>(owner);
  if (how == waist::Gone::forked) return forget(record);
  std::shared_ptr<ThreadRecord> keep;
  bool awaited = false;
  {
    const waist::Registry registry;
    // At the end of the process main() was taken out already.
    if (!record.is_alive()) return;
    record.unlink();
    if (&record != main_record) keep = std::move(record.keep_alive);
    // Under the lock: a fork finds the record in the list or the thread ended, nothing between.
    const bool ours = record.origin == ThreadRecord::Origin::ours;
    awaited = ThreadRecord::replace(record.state,
                                    ours ? ThreadRecord::kTerminated : ThreadRecord::kReaped);
  }
  if (awaited) wake(&record.state, kEveryone);
}

// With the registry held.
void attach(ThreadRecord& record, waist::Node& node) noexcept {
  record.node = &node;
  record.ident.store(node.ident, std::memory_order_relaxed);
  node.on_gone = on_gone;
  node.owner.store(&record, std::memory_order_release);  // [owner]
}

// In the child of a fork, after the waist forgot the other threads it knew.
void after_fork_in_child() noexcept {
  waist::Node& node = waist::this_node();
  auto* const me = static_cast<ThreadRecord*>(node.owner.load(std::memory_order_relaxed));
  const waist::Registry registry;
  forks.fetch_add(1, std::memory_order_relaxed);  // there is no other thread
  // It does not know those that did not run yet.
  for (ThreadRecord* record = list_first; record != nullptr;) {
    ThreadRecord& other = *record;
    record = record->next;
    if (&other != me) forget(other);
  }
  forget_timers();
  main_record = me;
  if (me != nullptr) {
    me->hidden = false;
    me->native_id.store(node.native_id, std::memory_order_relaxed);
    me->born_after_forks = forks.load(std::memory_order_relaxed);
  }
}

void set_up_fork() {
  (void)waist::this_node();  // the waist's handler runs first
  static constinit pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, [] { pthread_atfork(nullptr, nullptr, after_fork_in_child); });
}

std::uint32_t main_native_id() noexcept { return static_cast<std::uint32_t>(::getpid()); }

std::shared_ptr<ThreadRecord> make_alien(std::uint32_t native_id) {
  static constinit std::atomic<unsigned> dummies{0};
  const bool is_main = native_id == main_native_id();
  auto record = std::make_shared<ThreadRecord>(is_main ? ThreadRecord::Origin::main
                                                       : ThreadRecord::Origin::foreign);
  record->given_name =
      is_main ? "MainThread"
              : "Dummy-" + std::to_string(dummies.fetch_add(1, std::memory_order_relaxed) + 1);
  record->daemon.store(!is_main, std::memory_order_relaxed);
  record->state.store(ThreadRecord::kStarted, std::memory_order_relaxed);
  record->native_id.store(native_id, std::memory_order_relaxed);
  return record;
}

// What pthread_create runs; the record keeps itself alive.
void* thread_main(void* record) {
  static_cast<ThreadRecord*>(record)->run();
  return nullptr;
}

}  // namespace

ThreadRecord::~ThreadRecord() {
  // Nobody joined it and nobody can any more.
  if (phase() == kTerminated && is_of_this_process()) {
    ::pthread_detach(pthread.load(std::memory_order_relaxed));
  }
}

ThreadRecord* ThreadRecord::first() noexcept { return list_first; }

void ThreadRecord::link() noexcept {
  born_after_forks = forks.load(std::memory_order_relaxed);
  next = list_first;
  previous = nullptr;
  if (list_first != nullptr) list_first->previous = this;
  list_first = this;
  keep_alive = shared_from_this();
}
void ThreadRecord::unlink() noexcept {
  (previous != nullptr ? previous->next : list_first) = next;
  if (next != nullptr) next->previous = previous;
  node = nullptr;
  has_pthread = false;
}

bool ThreadRecord::replace(Word& word, std::uint32_t value) noexcept {
  const std::uint32_t old = word.exchange(value, std::memory_order_seq_cst);  // [end] [refused]
  return (old & kAwaited) != 0;
}

const GroupRecord* ThreadRecord::group_of_caller() noexcept {
  // relaxed: it is the thread's own record, or none
  const void* const owner = waist::this_node().owner.load(std::memory_order_relaxed);
  return owner != nullptr ? static_cast<const ThreadRecord*>(owner)->group.get() : nullptr;
}

bool ThreadRecord::is_of_this_process() const noexcept {
  return born_after_forks == forks.load(std::memory_order_relaxed);  // changes in a fork only
}

ThreadRecord& ThreadRecord::current() {
  waist::Node& node = waist::this_node();
  auto* record = static_cast<ThreadRecord*>(node.owner.load(std::memory_order_acquire));  // [owner]
  if (record == nullptr) {
    set_up_fork();
    auto made = make_alien(node.native_id);
    const waist::Registry registry;
    // Another thread may have made it meanwhile, for main_thread().
    record = static_cast<ThreadRecord*>(node.owner.load(std::memory_order_relaxed));
    if (record == nullptr && made->origin == Origin::main) record = main_record;
    if (record == nullptr) {
      record = made.get();
      record->link();
      if (made->origin == Origin::main) main_record = record;
    }
    attach(*record, node);
  }
  // Only the thread itself writes has_pthread, and knows its pthread_t.
  if (!record->has_pthread && record->is_alive()) {
    const waist::Registry registry;
    record->pthread.store(::pthread_self(), std::memory_order_relaxed);
    record->has_pthread = true;
  }
  return *record;
}

std::shared_ptr<ThreadRecord> ThreadRecord::of_main() {
  if (thrum::self().native_id == main_native_id()) return current().shared_from_this();
  set_up_fork();
  auto made = make_alien(main_native_id());
  const waist::Registry registry;
  if (main_record == nullptr) {
    made->link();
    main_record = made.get();
  }
  main_record->find_node(registry);
  return main_record->shared_from_this();
}

void ThreadRecord::find_node(const waist::Registry& registry) noexcept {
  if (node != nullptr || origin != Origin::main || !is_alive()) return;
  for (waist::Node* one = registry.first(); one != nullptr; one = one->next) {
    if (one->native_id == main_native_id()) return attach(*this, *one);
  }
}

void ThreadRecord::end_main() noexcept {
  ThreadRecord& record = current();
  bool awaited = false;
  {
    const waist::Registry registry;
    if (&record != main_record || !record.is_alive()) return;
    record.unlink();
    record.end = End::returned;
    awaited = replace(record.state, kReaped);
  }
  if (awaited) wake(&record.state, kEveryone);
}

bool ThreadRecord::request_stop() {
  // What waits for the request may be on the stack of a thread that is not here.
  if (phase() == kReaped && end == End::forked) return false;
  const bool first = stop.request_stop();
  if (timer != nullptr) (void)timer->cancel();
  return first;
}

bool ThreadRecord::caller_is_daemon() {
  const ThreadRecord& caller = current();
  return caller.origin == Origin::ours && caller.daemon.load(std::memory_order_relaxed);
}

std::vector<std::shared_ptr<ThreadRecord>> ThreadRecord::all() {
  (void)of_main();
  std::vector<std::shared_ptr<ThreadRecord>> records;
  const waist::Registry registry;
  for (ThreadRecord* record = list_first; record != nullptr; record = record->next) {
    if (!record->hidden) records.push_back(record->shared_from_this());
  }
  return {records.rbegin(), records.rend()};  // oldest first
}

void ThreadRecord::start() {
  if (timer != nullptr && timer->comes_later()) return timer->schedule();
  std::uint32_t expected = kNew;
  if (!state.compare_exchange_strong(expected, kStarted, std::memory_order_relaxed,
                                     std::memory_order_relaxed)) {
    throw_usage_error("thrum::Thread::start: started before, a thread runs at most once");
  }
  arm();
  ident.store(waist::new_ident(), std::memory_order_relaxed);
  {
    const waist::Registry registry;
    link();
  }
  const std::shared_ptr<GroupRecord> joins = group;  // the thread lets it go when it ends
  if (const int error = create(); error != 0) {
    std::shared_ptr<ThreadRecord> keep;
    {
      const waist::Registry registry;
      unlink();
      keep = std::move(keep_alive);
    }
    ident.store(0, std::memory_order_relaxed);
    never_ran(kNew);
    throw std::system_error(error, std::generic_category(),
                            "thrum::Thread::start: the system refuses a thread");
  }
  if (joins != nullptr) add_member(*joins, handle(shared_from_this()));
}

void ThreadRecord::arm() {
  set_up_fork();
  arm_process_end();
}

void ThreadRecord::never_ran(std::uint32_t phase) noexcept {
  if (replace(state, phase)) wake(&state, kEveryone);
  // Who asks for the id from now on sees that there is none.  [refused]
  if (native_id.load(std::memory_order_seq_cst) == 0) return;
  if (replace(native_id, 0)) wake(&native_id, kEveryone);
}

int ThreadRecord::create(const sigset_t* mask) {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  if (mask != nullptr) ::pthread_attr_setsigmask_np(&attributes, mask);
  const std::size_t stack = stack_size != 0 ? stack_size : thrum::stack_size();
  if (stack != 0) ::pthread_attr_setstacksize(&attributes, stack);
  if (!affinity.empty()) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    for (const int cpu : affinity) CPU_SET(cpu, &cpus);
    ::pthread_attr_setaffinity_np(&attributes, sizeof cpus, &cpus);
  }
  const std::shared_ptr<ThreadRecord> keep = shared_from_this();  // the thread may end at once
  pthread_t created{};
  const int error = ::pthread_create(&created, &attributes, thread_main, this);
  ::pthread_attr_destroy(&attributes);
  if (error == 0) pthread.store(created, std::memory_order_relaxed);  // as the thread does itself
  return error;
}

// A forced unwind has no object: "null" would take the catch for a reference to nothing.
__attribute__((no_sanitize("null"))) void ThreadRecord::run() {
  waist::choose_ident(ident.load(std::memory_order_relaxed));
  arm_process_end_in_thread();
  {
    const waist::Registry registry;  // which lists us
    attach(*this, waist::this_node());
    pthread.store(::pthread_self(), std::memory_order_relaxed);
    has_pthread = true;
    if (number == 0) kernel::set_name(::pthread_self(), given_name);
  }
  if (replace(native_id, thrum::self().native_id)) wake(&native_id, kEveryone);
  waist::park_if_ending(waist::this_node());

  end = End::exited;  // unless we come to say otherwise
  try {
    if (timer != nullptr) {
      timer->call();
    } else if (body != nullptr) {
      body->run(stop.get_token());
    }
    end = End::returned;
  } catch (abi::__forced_unwind&) {
    body = nullptr;
    group = nullptr;
    disarm_process_end_in_thread();
    throw;  // pthread_exit, cancellation
  } catch (...) {
    fail(std::current_exception());
  }
  body = nullptr;
  group = nullptr;  // which may keep us
  disarm_process_end_in_thread();
}

void ThreadRecord::fail(std::exception_ptr error) {
  exception = std::move(error);
  end = End::threw;
  const ThreadHandle me = handle(shared_from_this());
  if (group == nullptr || !keep_failure(*group, me, exception)) report(me, exception);
}

bool ThreadRecord::join(const Deadline& deadline) {
  if (is_caller()) {
    throw_usage_error("thrum::Thread::join: a thread cannot join itself, join it from another");
  }
  if (origin == Origin::foreign) {
    throw_usage_error("thrum::Thread::join: not made by this library, join it where it was made");
  }
  // Not main(): the system lets it go with the process only.
  const bool patient =
      origin == Origin::ours && deadline.is_forever() && !deadline.stop().stop_possible();
  bool may_reap = true;
  WaitingFor what{Waitable::thread, this};
  for (;;) {
    const std::uint32_t now = phase();
    if (now == kNew) {
      throw_usage_error("thrum::Thread::join: not started, start() it first");
    }
    if (now == kReaped) return true;
    // The system let it go with the fork.
    if (now == kTerminated && !is_of_this_process()) return true;
    if (process_is_over()) return !is_alive();  // it sleeps for good, or who reaps it does
    // One reaps: who has no limit of time sleeps in that until the end, instead of twice.
    if (may_reap && (patient || now == kTerminated) && claim_reaping()) {
      // Waiting in one of our calls is no cancellation point, but pthread_join is.
      int cancelled = 0;
      ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelled);
      const bool reaped = waist::reap(pthread.load(std::memory_order_relaxed), what);
      ::pthread_setcancelstate(cancelled, nullptr);
      if (reaped) {
        if (replace(state, kReaped)) wake(&state, kEveryone);
        return true;
      }
      // It joins us, the system noticed. That will not end, but it must show in a dump.
      reaper.store(false, std::memory_order_relaxed);
      may_reap = false;
      continue;
    }
    std::uint32_t seen = now;
    if (!state.compare_exchange_strong(seen, now | kAwaited, std::memory_order_relaxed,
                                       std::memory_order_relaxed) &&
        seen != (now | kAwaited)) {
      continue;
    }
    // Once it is terminated, who reaps it needs no longer than the kernel.
    const Wake why =
        wait(state, now | kAwaited, is_alive(now) ? deadline : Deadline(forever), what);
    if ((why == Wake::timeout || why == Wake::stopped) && is_alive()) return false;
    may_reap = may_reap || phase() == kTerminated;
  }
}

// Returns whether the caller is the one to reap the thread, whose pthread_t is known then.
bool ThreadRecord::claim_reaping() noexcept {
  // relaxed: the value is all; what the thread did is ordered by pthread_join and [end]
  return pthread.load(std::memory_order_relaxed) != 0 &&
         !reaper.exchange(true, std::memory_order_relaxed);
}

}  // namespace thrum
