// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// From events and switch records to the life of each thread.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "analysis/analysis.h"
#include "analysis/places.h"
#include "analysis/procfs.h"

namespace thrum::analysis {

using trace::Event;
using trace::Kind;
using trace::Type;

namespace {

// Who let go an object, by its place and in order of time.
struct Release {
  std::uint64_t ns, thread;
};
using Releases = std::map<Place, std::vector<Release>>;

class Lives {
 public:
  explicit Lives(Analysis& analysis) : analysis_(analysis), recording_(*analysis.recording) {}

  void find() {
    find_end();
    index_switches();
    for (const auto& [serial, thread] : recording_.threads) begin_life(thread);
    std::ranges::stable_sort(analysis_.lives, {}, &Life::begin);
    for (std::size_t i = 0; i < analysis_.lives.size(); ++i) {
      analysis_.life_of[analysis_.lives[i].thread->serial] = i;
      std::vector<std::size_t>& of_tid = by_tid_[analysis_.lives[i].thread->tid];
      if (!of_tid.empty()) {
        // One after the other: the end of who became another program is heard of later.
        Life& before = analysis_.lives[of_tid.back()];
        before.end = std::max(before.begin, std::min(before.end, analysis_.lives[i].begin));
      }
      of_tid.push_back(i);
    }
    find_first_uses();
    for (Life& life : analysis_.lives) find_waits(life);
    find_kinds();
    for (Life& life : analysis_.lives) {
      if (life.switches_known) {
        add_sleeps(life);
        slice_by_switches(life);
      } else {
        slice_by_waits(life);
      }
      for (const Slice& slice : life.slices) {
        life.ns[static_cast<std::size_t>(slice.state)] += slice.end - slice.begin;
        if (slice.state != State::blocked) continue;
        analysis_.blocked_ns += slice.end - slice.begin;
        if (slice.wait != Slice::kNoWait) analysis_.named_ns += slice.end - slice.begin;
      }
    }
  }

 private:
  std::uint64_t ns(std::uint64_t ticks) const { return recording_.ns(ticks); }

  void find_end() {
    std::uint64_t& end = analysis_.end;
    if (recording_.end.contains("ns") && recording_.end["ns"].is_number_unsigned()) {
      end = recording_.end["ns"].get<std::uint64_t>();
    }
    for (const auto& [serial, thread] : recording_.threads) {
      end = std::max(end, ns(thread.ended));
      if (!thread.events.empty() && recording_.end.empty()) {
        end = std::max(end, ns(thread.events.back().when()));
      }
    }
  }

  void index_switches() {
    const auto by_tid = []<class Record>(const std::vector<Record>& all) {
      std::map<std::uint32_t, std::vector<Record>> found;
      for (const Record& one : all) found[one.tid].push_back(one);
      for (auto& [tid, list] : found) std::ranges::stable_sort(list, {}, &Record::ns);
      return found;
    };
    switches_ = by_tid(recording_.scheduler.switches);
    wakes_ = by_tid(recording_.scheduler.wakes);
    sleeps_ = by_tid(recording_.scheduler.sleeps);
    analysis_.has_switches = !recording_.scheduler.switches.empty();
    for (const Switch& one : recording_.scheduler.switches) {
      if ((one.flags & (Switch::kOut | Switch::kExit)) != Switch::kOut) continue;
      ++((one.flags & Switch::kPreempted) != 0 ? analysis_.involuntary : analysis_.voluntary);
    }
  }

  void begin_life(const Thread& thread) {
    if (thread.started == 0) return;  // it was not created after all
    Life life;
    life.thread = &thread;
    life.begin = ns(thread.created != 0 ? thread.created : thread.started);
    life.end = thread.ended != 0 ? ns(thread.ended) : analysis_.end;
    life.end = std::max(life.end, life.begin);
    life.name = thread.name.empty() ? fmt::format("thread {}", thread.tid) : thread.name;
    for (const Event& event : thread.events) {
      if (event.type() != Type::release) continue;
      releases_[{thread.process, event.object()}].push_back({ns(event.when()), thread.serial});
    }
    const auto found = switches_.find(thread.tid);
    life.switches_known = found != switches_.end();
    if (life.switches_known) find_exit(life, found->second);
    analysis_.lives.push_back(std::move(life));
  }

  // A thread that was ended with its process: the watcher learns of it later than the kernel.
  static void find_exit(Life& life, const std::vector<Switch>& switches) {
    for (const Switch& one : switches) {
      if ((one.flags & Switch::kExit) == 0 || one.ns < life.begin || one.ns > life.end) continue;
      life.end = one.ns;
      return;
    }
  }

  // Where each object was used first, which names those that have no other name.
  void find_first_uses() {
    for (auto& [place, list] : releases_) std::ranges::sort(list, {}, &Release::ns);
    std::map<Place, std::pair<std::uint64_t, std::string>> first;
    for (const Life& life : analysis_.lives) {
      for (const Event& event : life.thread->events) {
        if ((event.type() != Type::acquire && event.type() != Type::wait_begin) ||
            event.kind() == Kind::join || event.kind() == Kind::call || event.object() == 0) {
          continue;
        }
        const Place place{life.thread->process, event.object()};
        const auto known = first.find(place);
        if (known != first.end() && known->second.first <= event.when()) continue;
        first[place] = {event.when(), site_text(recording_, *life.thread, event.site_stack)};
      }
    }
    // Several that were first used at one place are told apart by their order.
    std::vector<std::pair<std::uint64_t, Place>> order;
    for (const auto& [place, use] : first) order.emplace_back(use.first, place);
    std::ranges::sort(order);
    std::map<std::pair<std::uint32_t, std::string>, int> times;
    for (const auto& [when, place] : order) {
      std::string& text = analysis_.first_locked[place] = first[place].second;
      const int n = ++times[{place.first, text}];
      if (n > 1) text += fmt::format(" #{}", n);
    }
  }

  std::uint64_t serial_of(std::uint64_t tid, std::uint64_t at) const {
    const auto found = by_tid_.find(static_cast<std::uint32_t>(tid));
    if (tid == 0 || found == by_tid_.end()) return 0;
    for (const std::size_t i : found->second) {
      const Life& life = analysis_.lives[i];
      if (life.begin <= at && at <= life.end) return life.thread->serial;
    }
    return 0;
  }

  void find_waits(Life& life) {
    const Thread& thread = *life.thread;
    bool open = false;
    const auto close = [&](std::uint64_t at, bool over) {
      Wait& wait = life.waits.back();
      wait.end = std::max(at, wait.begin);
      wait.over = over;
      open = false;
      if (over && !wait.timed_out) find_waker(thread, wait);
    };
    for (const Event& event : thread.events) {
      const std::uint64_t at = std::clamp(ns(event.when()), life.begin, life.end);
      // A cancelled wait has no end of its own: the next event is after it.
      if (open && event.type() == Type::wait_end) {
        life.waits.back().timed_out = life.waits.back().timed && event.argument == ETIMEDOUT;
        close(at, true);
      } else if (open && event.type() != Type::held) {
        close(at, false);
      }
      if (event.type() != Type::wait_begin) continue;
      Wait wait;
      wait.begin = at;
      wait.kind = event.kind();
      wait.timed = (event.flags() & trace::kTimed) != 0;
      wait.object = event.object();
      wait.site_stack = event.site_stack;
      wait.given = given_name(recording_, thread.process, wait.object, at);
      const bool is_ours = (event.flags() & trace::kOurs) != 0;
      if (is_ours && wait.kind != Kind::lock) wait.word = event.argument & trace::kAddressMask;
      if (wait.kind == Kind::mutex || wait.kind == Kind::read_lock ||
          wait.kind == Kind::write_lock || wait.kind == Kind::lock) {
        wait.holder = serial_of(event.argument, at);
      } else if (wait.kind == Kind::futex && (event.argument >> 31) == 1) {
        wait.holder = serial_of(event.argument & 0x3fffffff, at);
      }
      life.waits.push_back(wait);
      open = true;
    }
    if (open) close(life.end, false);
  }

  // The last to let the object go before the thread went on.
  void find_waker(const Thread& thread, Wait& wait) const {
    if (wait.kind == Kind::join) {
      for (const Life& other : analysis_.lives) {
        if (other.thread->process == thread.process && other.thread->serial != thread.serial &&
            other.end <= wait.end && other.end >= wait.begin && other.end > wait.woken) {
          wait.waker = other.thread->serial;
          wait.woken = other.end;
        }
      }
      return;
    }
    const auto found = releases_.find({thread.process, wait.word != 0 ? wait.word : wait.object});
    if (found == releases_.end()) return;
    auto after = std::ranges::upper_bound(found->second, wait.end, {}, &Release::ns);
    while (after != found->second.begin()) {
      --after;
      if (after->ns < wait.begin) return;
      if (after->thread != thread.serial) {
        wait.waker = after->thread;
        wait.woken = after->ns;
        return;
      }
    }
  }

  static void add(Life& life, std::uint64_t to, State state, std::uint32_t wait = Slice::kNoWait) {
    const std::uint64_t from = life.slices.empty() ? life.begin : life.slices.back().end;
    to = std::min(to, life.end);
    if (to > from) life.slices.push_back({from, to, state, wait});
  }

  // Returns the wait that a thread was in when it went off its processor. Where the wait ends
  // before the thread is said to be back, it ran meanwhile, untold: see slice_by_switches().
  static std::uint32_t wait_at(const Life& life, std::uint64_t out) {
    auto after = std::ranges::upper_bound(life.waits, out, {}, &Wait::begin);
    if (after == life.waits.begin()) return Slice::kNoWait;
    --after;
    if (after->end < out) return Slice::kNoWait;
    return static_cast<std::uint32_t>(after - life.waits.begin());
  }

  // What the word of a futex belongs to, where that was seen: a mutex begins with its own.
  void find_kinds() {
    for (const Life& life : analysis_.lives) {
      for (const Wait& wait : life.waits) {
        if (wait.kind == Kind::mutex || wait.kind == Kind::semaphore) {
          kinds_.try_emplace({life.thread->process, wait.object}, wait.kind);
        }
      }
    }
  }

  // The waits that nobody has written down, but the kernel: by the call that the thread slept in.
  void add_sleeps(Life& life) {
    const auto found = sleeps_.find(life.thread->tid);
    if (found == sleeps_.end()) return;
    const std::vector<Switch>& switches = switches_.at(life.thread->tid);
    std::vector<Wait> more;
    auto sleep = std::ranges::lower_bound(found->second, life.begin, {}, &Sleep::ns);
    auto one = std::ranges::lower_bound(switches, life.begin, {}, &Switch::ns);
    for (; sleep != found->second.end() && sleep->ns <= life.end; ++sleep) {
      const auto is_next = [&](const Switch& change) {
        return change.ns > sleep->ns && (change.flags & Switch::kOut) == 0;
      };
      while (one != switches.end() && !is_next(*one)) ++one;
      const std::uint64_t in = one != switches.end() ? std::min(one->ns, life.end) : life.end;
      if (wait_at(life, sleep->ns) != Slice::kNoWait) continue;
      Wait wait = wait_of(*life.thread, *sleep);
      wait.begin = sleep->ns;
      wait.end = in;
      wait.over = one != switches.end() && one->ns <= life.end;
      more.push_back(wait);
    }
    life.waits.insert(life.waits.end(), more.begin(), more.end());
    std::ranges::stable_sort(life.waits, {}, &Wait::begin);
  }

  Wait wait_of(const Thread& thread, const Sleep& sleep) const {
    Wait wait;
    if (is_futex(sleep.call)) {
      wait.object = sleep.argument & trace::kAddressMask;
      const auto known = kinds_.find({thread.process, wait.object});
      wait.kind = known != kinds_.end() ? known->second : Kind::futex;
    } else if (is_sleep(sleep.call)) {
      wait.kind = Kind::sleep;
    } else {
      wait.kind = Kind::call;
      wait.object = static_cast<std::uint64_t>(sleep.call) + 1;
    }
    return wait;
  }

  // Returns who let the thread go while it slept; nothing if the kernel did not tell.
  const Wake* wake_between(std::uint32_t tid, std::uint64_t out, std::uint64_t in) const {
    const auto found = wakes_.find(tid);
    if (found == wakes_.end()) return nullptr;
    auto after = std::ranges::upper_bound(found->second, in, {}, &Wake::ns);
    if (after == found->second.begin()) return nullptr;
    --after;
    return after->ns >= out ? &*after : nullptr;
  }

  // Who did it, unless an interrupt did while the thread happened to be there: it has to be in a
  // call that lets go who sleeps in the other's.
  std::uint64_t waker_of(const Wake& wake, std::uint64_t out) const {
    const auto found = sleeps_.find(wake.tid);
    if (found == sleeps_.end() || wake.call < 0) return 0;
    const auto sleep = std::ranges::lower_bound(found->second, out, {}, &Sleep::ns);
    if (sleep == found->second.end() || sleep->ns != out) return 0;
    return may_wake(wake.call, sleep->call) ? serial_of(wake.waker, wake.ns) : 0;
  }

  void slice_by_switches(Life& life) {
    const std::vector<Switch>& all = switches_.at(life.thread->tid);
    auto one = std::ranges::lower_bound(all, life.begin, {}, &Switch::ns);
    // One that was met while it lived: off its processor if the record begins with getting it.
    const bool was_met = life.thread->created == 0;
    bool on = was_met ? one == all.end() || (one->flags & Switch::kOut) != 0
                      : life.thread->created == life.thread->started;
    bool ran = on || was_met;
    // Where the record begins with an end, it ran.
    if (one != all.end() && (one->flags & Switch::kOut) != 0) on = true;
    bool preempted = false;
    for (; one != all.end() && one->ns <= life.end; ++one) {
      if ((one->flags & Switch::kOut) != 0) {
        if (on) {
          add(life, one->ns, State::running);
        } else {
          // It ran, and that it began to was not told: kernels leave a switch out now and then,
          // even from their own trace. It had not waited for longer than until now.
          add_pause(life, one->ns, ran, preempted);
        }
        on = false;
        ran = true;
        preempted = (one->flags & Switch::kPreempted) != 0;
        if ((one->flags & Switch::kExit) != 0) break;
        ++(preempted ? life.involuntary : life.voluntary);
      } else {
        if (!on) add_pause(life, one->ns, ran, preempted);
        on = true;
        ran = true;
      }
    }
    if (on) {
      add(life, life.end, State::running);
    } else {
      add_pause(life, life.end, ran, preempted);
    }
  }

  // Why it did not run until `in`.
  void add_pause(Life& life, std::uint64_t in, bool ran, bool preempted) const {
    if (!ran) return add(life, in, State::new_);
    if (preempted) return add(life, in, State::ready);
    const std::uint64_t out = life.slices.empty() ? life.begin : life.slices.back().end;
    const std::uint32_t index = wait_at(life, out);
    Wait* const wait = index != Slice::kNoWait ? &life.waits[index] : nullptr;
    if (const Wake* const wake = wake_between(life.thread->tid, out, in)) {
      const std::uint64_t waker = waker_of(*wake, out);
      // A clock's interrupt may come while somebody is in such a call.
      if (wait != nullptr && !wait->timed_out && waker != 0 && waker != life.thread->serial) {
        wait->waker = waker;
        wait->woken = wake->ns;
      }
      add(life, wake->ns, State::blocked, index);
      return add(life, in, State::ready);
    }
    if (wait != nullptr && wait->woken > out && wait->woken < in) {
      add(life, wait->woken, State::blocked, index);
      return add(life, in, State::ready);
    }
    add(life, in, State::blocked, index);
  }

  void slice_by_waits(Life& life) {
    if (life.thread->created != 0) add(life, ns(life.thread->started), State::new_);
    for (std::size_t i = 0; i < life.waits.size(); ++i) {
      add(life, life.waits[i].begin, State::runnable);
      add(life, life.waits[i].end, State::blocked, static_cast<std::uint32_t>(i));
    }
    add(life, life.end, State::runnable);
  }

  Analysis& analysis_;
  const Recording& recording_;
  std::map<std::uint32_t, std::vector<Switch>> switches_;
  std::map<std::uint32_t, std::vector<Wake>> wakes_;
  std::map<std::uint32_t, std::vector<Sleep>> sleeps_;
  std::map<Place, Kind> kinds_;
  std::map<std::uint32_t, std::vector<std::size_t>> by_tid_;
  Releases releases_;
};

}  // namespace

void find_lives(Analysis& analysis) { Lives(analysis).find(); }

// The records of a user do not say who came next, those of BPF do. On one processor, the next
// record of the same process within some microseconds is a switch from thread to thread; between
// them there was no time for anybody else. docs/watch.md has the figures.
void classify_switches(Analysis& analysis) {
  struct Record {
    std::uint64_t ns;
    std::size_t life;
    std::uint16_t flags;
    bool out() const { return (flags & Switch::kOut) != 0; }
  };
  std::map<std::uint32_t, std::vector<std::size_t>> by_tid;
  for (std::size_t i = 0; i < analysis.lives.size(); ++i) {
    by_tid[analysis.lives[i].thread->tid].push_back(i);
  }
  std::map<std::uint16_t, std::vector<Record>> by_cpu;
  for (const Switch& one : analysis.recording->scheduler.switches) {
    const auto found = by_tid.find(one.tid);
    if (found == by_tid.end()) continue;
    for (const std::size_t i : found->second) {
      const Life& life = analysis.lives[i];
      if (one.ns < life.begin || one.ns > life.end) continue;
      if ((one.flags & Switch::kExit) == 0) {
        by_cpu[one.cpu].push_back({one.ns, i, one.flags});
      }
      break;
    }
  }
  constexpr std::uint64_t kThreadSwitchNs = 5000;
  for (auto& [cpu, records] : by_cpu) {
    std::ranges::stable_sort(records, {}, &Record::ns);
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (!records[i].out()) continue;
      Life& life = analysis.lives[records[i].life];
      if ((records[i].flags & (Switch::kToOwn | Switch::kToOther | Switch::kToIdle)) != 0) {
        analysis.knows_next = true;
        const bool own = (records[i].flags & Switch::kToOwn) != 0;
        ++(own ? life.thread_switches : life.left_process);
        if ((records[i].flags & Switch::kToIdle) != 0) ++life.left_idle;
        continue;
      }
      const bool next_is_ours =
          i + 1 < records.size() && !records[i + 1].out() &&
          analysis.lives[records[i + 1].life].thread->process == life.thread->process &&
          records[i + 1].ns - records[i].ns <= kThreadSwitchNs;
      ++(next_is_ours ? life.thread_switches : life.left_process);
    }
  }
}

}  // namespace thrum::analysis
