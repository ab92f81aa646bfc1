// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Timers (docs/decisions/0009-timers.md). Those that wait for their time are in a heap, by time;
// one thread, hidden from enumerate(), sleeps until the first of them is due and starts its thread.
// It is made with the first timer, and ends itself a moment after the last.
//
// The heap, the service's state and the step from kPending are guarded by the registry, as the list
// of threads is: a fork finds all of it whole.
//
// Edges
//   [over] call -> finished: what the function did happens before what is done after finished().
#include "thrum/timer.h"

#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include "threading/timer_record.h"
#include "waist/self.h"

namespace thrum {
namespace {

using std::chrono::nanoseconds;

// A heap of four children, in one array that realloc() may grow in place: no copy of a million
// entries while everybody waits. Never destroyed, so usable until the end of the process.
class PendingTimers {
 public:
  bool empty() const noexcept { return size_ == 0; }
  TimerRecord& first() const noexcept { return *entries_[0].timer; }

  /// Throws  std::bad_alloc; then push() would.
  void make_room() {
    if (size_ == capacity_) resize(capacity_ == 0 ? 64 : 2 * capacity_);
  }
  void push(TimerRecord& timer) noexcept { rise(size_++, {timer.due_ns, &timer}); }
  /// Takes one out, if it is in.
  void remove(TimerRecord& timer) noexcept {
    const std::size_t hole = std::exchange(timer.place, TimerRecord::kNowhere);
    if (hole == TimerRecord::kNowhere) return;
    const Entry last = entries_[--size_];
    if (hole != size_) {
      if (hole != 0 && earlier(last, entries_[(hole - 1) / kChildren])) {
        rise(hole, last);
      } else {
        sink(hole, last);
      }
    }
    if (size_ < capacity_ / 4 && capacity_ > kFew) shrink();
  }
  void forget() noexcept { size_ = 0; }

 private:
  static constexpr std::size_t kChildren = 4;  // a step down reads one cache line
  static constexpr std::size_t kFew = 4096;    // so many entries are not worth giving back

  struct Entry {
    std::int64_t due_ns;
    TimerRecord* timer;
  };

  // Equal times: who started first.
  static bool earlier(const Entry& a, const Entry& b) noexcept {
    if (a.due_ns != b.due_ns) return a.due_ns < b.due_ns;
    return a.timer->ident.load(std::memory_order_relaxed) <
           b.timer->ident.load(std::memory_order_relaxed);
  }
  void set(std::size_t place, Entry entry) noexcept {
    entries_[place] = entry;
    entry.timer->place = place;
  }
  void rise(std::size_t place, Entry entry) noexcept {
    while (place != 0) {
      const std::size_t parent = (place - 1) / kChildren;
      if (!earlier(entry, entries_[parent])) break;
      set(place, entries_[parent]);
      place = parent;
    }
    set(place, entry);
  }
  void sink(std::size_t place, Entry entry) noexcept {
    for (;;) {
      const std::size_t begin = place * kChildren + 1;
      if (begin >= size_) break;
      const std::size_t end = begin + kChildren < size_ ? begin + kChildren : size_;
      std::size_t least = begin;
      for (std::size_t child = begin + 1; child < end; ++child) {
        if (earlier(entries_[child], entries_[least])) least = child;
      }
      if (!earlier(entries_[least], entry)) break;
      set(place, entries_[least]);
      place = least;
    }
    set(place, entry);
  }
  void resize(std::size_t capacity) {
    void* const bytes = std::realloc(entries_, capacity * sizeof(Entry));
    if (bytes == nullptr) throw std::bad_alloc();
    entries_ = static_cast<Entry*>(bytes);
    capacity_ = capacity;
  }
  void shrink() noexcept {
    try {
      resize(capacity_ / 2);
    } catch (const std::bad_alloc&) {
      // Then it stays as it is.
    }
  }

  Entry* entries_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// What starts the timers' threads. All but the words guarded by the registry.
struct Service {
  // state     | the service thread                       | leaves the state by
  // kNone     | does not exist                           | a start()
  // kMaking   | is being made; other start()s wait       | success, or the system's refusal
  // kServing  | looks at the heap before it sleeps       | ends itself when nothing is pending
  static constexpr std::uint32_t kNone = 0, kMaking = 1, kServing = 2;
  Word state{kNone};

  PendingTimers pending;
  const ThreadRecord* thread = nullptr;
  Word alarm{0};  // moves when it must look before its time
  std::int64_t sleeps_until = kAwake;
  bool lingers = false;  // it sleeps, to end itself
  sigset_t mask{};       // of the thread that made it; written before it is made
  static constexpr std::int64_t kAwake = INT64_MIN;

  // It must look: at a new first, or that there is none.
  void rouse() noexcept {
    alarm.fetch_add(1, std::memory_order_relaxed);  // the kernel compares it
    sleeps_until = kAwake;
  }
};
constinit Service service;

// How long the service stays with nothing to do. Making a thread takes some 30 us.
constexpr std::int64_t kLinger_ns = 100'000'000;

// In the service: a timer ends because it has no thread. That is the user's code (an excepthook, a
// destructor), so the end of the process must know, or have begun before: then this does not
// return.
void fail(TimerRecord& timer, int error) {
  ThreadRecord& me = ThreadRecord::current();
  const auto say = [&](bool runs) {
    const waist::Registry registry;
    me.runs_user_code = runs;
  };
  say(true);
  waist::park_if_ending(waist::this_node());
  timer.fail_unrun(error);
  say(false);
}

void serve() {
  const ThreadRecord& me = ThreadRecord::current();
  for (std::int64_t linger_until = 0;;) {
    waist::park_if_ending(waist::this_node());
    std::shared_ptr<ThreadRecord> due;
    std::uint32_t alarm = 0;
    std::int64_t until = 0;
    {
      const waist::Registry registry;
      if (service.thread != &me) return;  // an excepthook forked, and this is the child
      service.sleeps_until = Service::kAwake;
      const std::int64_t now = Deadline::now_ns();
      while (due == nullptr && !service.pending.empty() && service.pending.first().due_ns <= now) {
        TimerRecord& timer = service.pending.first();
        service.pending.remove(timer);
        // Else somebody cancelled it, and is about to end it.
        if (!timer.decide(TimerRecord::Fate::fires)) continue;
        // relaxed: it publishes nothing; kAwaited stays
        timer.state.fetch_add(ThreadRecord::kStarted - ThreadRecord::kPending,
                              std::memory_order_relaxed);
        due = timer.shared_from_this();
      }
      if (due == nullptr) {
        service.lingers = service.pending.empty();
        if (!service.lingers) {
          linger_until = 0;
          until = service.pending.first().due_ns;
        } else {
          if (linger_until == 0) linger_until = now + kLinger_ns;
          until = linger_until;
          if (now >= until) {
            service.thread = nullptr;
            service.state.store(Service::kNone, std::memory_order_relaxed);
            return;
          }
        }
        service.sleeps_until = until;
        alarm = service.alarm.load(std::memory_order_relaxed);
      }
    }
    if (due != nullptr) {
      linger_until = 0;
      if (const int error = due->create(&service.mask); error != 0) fail(*due->timer, error);
      continue;
    }
    WaitingFor what{Waitable::timer, &service};
    (void)wait(service.alarm, alarm, Deadline::Clock::time_point(nanoseconds(until)), what);
  }
}

// It takes no signals, and is hidden before it is listed.
void make_service() {
  Thread thread({.name = "thrum-timers", .daemon = true}, serve);
  ThreadRecord& record = ThreadRecord::of(thread);
  record.hidden = true;
  service.thread = &record;  // nobody else looks while it is made
  struct NoSignals {
    NoSignals() {
      sigset_t all;
      ::sigfillset(&all);
      ::pthread_sigmask(SIG_SETMASK, &all, &service.mask);
    }
    ~NoSignals() { ::pthread_sigmask(SIG_SETMASK, &service.mask, nullptr); }
  } const no_signals;
  thread.start();
}

// Returns with the registry held and the service there, so that it will see what is pushed.
class ServiceHeld {
 public:
  ServiceHeld() {
    for (;;) {
      registry_.emplace();
      const std::uint32_t state = service.state.load(std::memory_order_relaxed);
      if (state == Service::kServing) return;
      if (state == Service::kNone) service.state.store(Service::kMaking, std::memory_order_relaxed);
      registry_.reset();
      if (state == Service::kNone) {
        make();
      } else {
        (void)wait(service.state, Service::kMaking, forever);
      }
    }
  }

 private:
  static void make() {
    struct Made {
      std::uint32_t state = Service::kNone;
      ~Made() {
        {
          const waist::Registry registry;
          service.state.store(state, std::memory_order_relaxed);
        }
        wake(&service.state, kEveryone);
      }
    } made;
    make_service();
    made.state = Service::kServing;
  }

  std::optional<waist::Registry> registry_;
};

}  // namespace

void forget_timers() noexcept {
  service.pending.forget();
  service.thread = nullptr;
  service.state.store(Service::kNone, std::memory_order_relaxed);
}

void TimerRecord::schedule() {
  arm();
  std::shared_ptr<GroupRecord> joins;
  bool cancelled = false;
  bool rouse = false;
  {
    const ServiceHeld held;
    service.pending.make_room();
    std::uint32_t expected = kNew;
    if (!state.compare_exchange_strong(expected, kPending, std::memory_order_relaxed,
                                       std::memory_order_relaxed)) {
      throw_usage_error("thrum::Thread::start: started before, a thread runs at most once");
    }
    ident.store(waist::new_ident(), std::memory_order_relaxed);
    const std::int64_t now = Deadline::now_ns();
    since_ns.store(now, std::memory_order_relaxed);
    due_ns = interval_ns < INT64_MAX - now ? now + interval_ns : INT64_MAX;
    link();
    joins = group;  // which the timer lets go when it ends
    cancelled = fate.load(std::memory_order_relaxed) != Fate::open;
    if (cancelled) {
      // Not pending: cancel() leaves it to us.
      state.fetch_add(kStarted - kPending, std::memory_order_relaxed);
    } else {
      service.pending.push(*this);
      rouse = due_ns < service.sleeps_until;
      if (rouse) service.rouse();
    }
  }
  if (rouse) wake(&service.alarm, 1);
  if (cancelled) end_unrun();
  if (joins != nullptr) add_member(*joins, handle(shared_from_this()));
}

bool TimerRecord::cancel() {
  if (!decide(Fate::cancelled)) return false;
  bool pending = false;
  bool rouse = false;
  {
    const waist::Registry registry;
    // Else it is new, or its thread, which is about to run, finds out.
    pending = phase() == kPending;
    if (pending) {
      service.pending.remove(*this);
      rouse =
          service.pending.empty() && !service.lingers && service.sleeps_until != Service::kAwake;
      if (rouse) service.rouse();
    }
  }
  if (rouse) wake(&service.alarm, 1);
  if (pending) end_unrun();
  return true;
}

void TimerRecord::end_unrun() {
  // The function's destructor may drop the last handle, or join. Not to wait for itself it must
  // know that it is in the timer's thread, as it were. The list keeps the record meanwhile.
  if (end == End::alive) end = End::returned;
  played_by.store(self().ident, std::memory_order_relaxed);
  body = nullptr;
  played_by.store(0, std::memory_order_relaxed);
  std::shared_ptr<ThreadRecord> listed;
  {
    const waist::Registry registry;
    if (phase() == kReaped) return;  // the destructor forked, and this is the child
    unlink();
    listed = std::move(keep_alive);
    never_ran(kReaped);
  }
  group = nullptr;
}

void TimerRecord::fail_unrun(int error) {
  fate.store(Fate::over, std::memory_order_relaxed);
  fail(std::make_exception_ptr(
      std::system_error(error, std::generic_category(),
                        "thrum::Timer: the system refuses a thread when the time has come")));
  end_unrun();
}

void TimerRecord::call() {
  if (!decide(Fate::fires) && fate.load(std::memory_order_relaxed) != Fate::fires) return;
  struct Over {
    std::atomic<Fate>& fate;
    ~Over() { fate.store(Fate::over, std::memory_order_release); }  // [over]
  } const over{fate};
  if (body != nullptr) body->run(stop.get_token());
}

bool TimerRecord::finished() const noexcept {
  const Fate now = fate.load(std::memory_order_acquire);  // [over]
  return now == Fate::cancelled || now == Fate::over;
}

WaitingFor TimerRecord::waits() const noexcept {
  return {Waitable::timer, this, nullptr, since_ns.load(std::memory_order_relaxed)};
}

Timer::Timer(ThreadOptions options, std::int64_t interval_ns, std::unique_ptr<Body> body)
    : Thread(std::shared_ptr<ThreadRecord>(std::make_shared<TimerRecord>(interval_ns)),
             std::move(options), std::move(body)) {}

bool Timer::cancel() { return record().timer->cancel(); }
bool Timer::finished() const { return record().timer->finished(); }

}  // namespace thrum
