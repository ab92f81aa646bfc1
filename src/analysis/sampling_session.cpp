// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/sampling_session.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <map>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

#include "analysis/alarm.h"
#include "analysis/levels.h"
#include "analysis/live_process.h"
#include "analysis/own_process.h"
#include "analysis/privileges.h"
#include "analysis/procfs.h"
#include "analysis/scheduler_recorder.h"
#include "analysis/target.h"
#include "analysis/watcher_signals.h"
#include "trace/ticks.h"

namespace thrum::analysis {

using trace::Event;
using trace::Kind;
using trace::Type;

namespace {

// A look takes some microseconds for each thread, more for one that moved. It is repeated so often
// that all takes at most the fiftieth part of a processor, and debug information once.
constexpr std::uint64_t kStartNs = 100'000'000;
constexpr std::uint64_t kShortestNs = 10'000'000;
constexpr std::uint64_t kLongestNs = 1'000'000'000;
constexpr std::uint64_t kShare = 50;
constexpr std::uint64_t kRefreshNs = 200'000'000;
constexpr std::uint64_t kDrainNs = 25'000'000;
constexpr std::size_t kMostObjects = 4096;  // that are named
constexpr std::uint32_t kProcess = 1;       // serial of the only one

class SamplingSession final : Names {
 public:
  SamplingSession(const WatchOptions& options, Privileges& privileges, const std::string& path,
                  const std::string& reason);
  WatchResult run();

 private:
  // A thread as it is written down.
  struct Recorded {
    Thread thread{};
    Turns first{};
    Schedule schedule{};
    std::vector<Event> fresh{};
    bool waits = false;
    std::uint64_t wait_begin = 0, ended_at = 0, last_end = 0;
    std::uint64_t object_kind = 0, site_stack = 0;
    std::map<std::vector<std::uint64_t>, std::uint16_t> stacks{};
    // From the switch records; 0 none yet.
    std::uint64_t last_out = 0, last_in = 0;
  };

  const Thread* thread(std::uint64_t serial) const override;
  std::vector<Frame> frames(std::uint64_t thread, std::uint64_t site_stack) override;
  std::string variable(std::uint32_t, std::uint64_t address) override {
    return process_->variable(address);
  }
  std::uint64_t now() const { return trace::monotonic_ns() - origin_ns_; }
  void start(const std::string& path);
  void begin_switches();
  void take_switches();
  void look();
  void note(const LiveThread& live);
  void begin_wait(Recorded& one, const LiveThread& live, std::uint64_t at);
  void end_wait(Recorded& one, std::uint64_t at);
  void finish(std::uint32_t tid, Recorded& one, trace::End how);
  void look_for_deadlocks();
  void show();
  void refresh();
  bool hear_signals();
  void pause(std::uint64_t ns);
  void write_process();
  void write_symbols();
  void end();
  Json meta() const;

  const WatchOptions& options_;
  const std::string reason_;
  WatchResult result_;
  Privileges& privileges_;
  WatcherSignals signals_;
  std::uint64_t origin_ns_;
  RecordingWriter writer_;
  std::unique_ptr<Target> target_;
  pid_t pid_;
  std::unique_ptr<LiveProcess> process_;
  std::unique_ptr<SchedulerRecorder> scheduler_;
  std::map<std::uint32_t, Recorded> threads_;  // by tid
  std::map<std::uint32_t, std::pair<std::uint64_t, std::uint64_t>>
      early_;  // of threads not yet met
  std::map<std::uint32_t, Schedule> schedules_;
  std::map<StackId, std::vector<std::uint64_t>> stacks_;
  std::set<std::uint64_t> objects_;
  LevelText text_;
  std::uint64_t looks_ = 0, look_ns_ = 0;
  std::vector<Module> modules_written_;
  int interrupts_ = 0;
};

SamplingSession::SamplingSession(const WatchOptions& options, Privileges& privileges,
                                 const std::string& path, const std::string& reason)
    : options_(options),
      reason_(reason),
      privileges_(privileges),
      origin_ns_(trace::monotonic_ns()),
      writer_(options.output),
      pid_(static_cast<pid_t>(options.pid)) {
  raise_descriptor_limit();
  if (pid_ == 0) {
    target_ = std::make_unique<Target>(path, options.command, privileges_.environment());
    pid_ = target_->pid();
  }
  begin_switches();
}

void SamplingSession::begin_switches() {
  {
    const auto raised = privileges_.raise();
    scheduler_ = std::make_unique<SchedulerRecorder>(
        options_.level, SchedulerRecorder::Who{pid_, false, target_ == nullptr}, origin_ns_);
  }
  // Who cannot look at it as a user does so as root, as far as that needs.
  privileges_.drop(!why_not_attach(pid_).empty());
  text_ = level_from_outside(options_.level, *scheduler_, reason_);
}

Json SamplingSession::meta() const {
  utsname system{};
  uname(&system);
  const std::string level =
      looks_ > 1 ? fmt::format("{}, every {} ms", text_.level, look_ns_ / (looks_ - 1) / 1'000'000)
                 : text_.level;
  return Json{{"command", options_.pid != 0 ? command_of(pid_) : options_.command},
              {"started_unix_ns", std::chrono::duration_cast<std::chrono::nanoseconds>(
                                      std::chrono::system_clock::now().time_since_epoch())
                                      .count()},
              {"origin_ns", origin_ns_},
              {"ns_per_tick", 1},
              {"processors", sysconf(_SC_NPROCESSORS_ONLN)},
              {"system", fmt::format("{} {}", system.sysname, system.release)},
              {"pid", pid_},
              {"attached", options_.pid != 0},
              {"record_all", false},
              {"level", level},
              {"cannot_tell", text_.cannot_tell},
              {"advice", text_.advice}};
}

void SamplingSession::write_process() {
  if (process_->modules() == modules_written_) return;
  modules_written_ = process_->modules();
  writer_.write(Process{kProcess, static_cast<std::uint32_t>(pid_), 0, 0, process_->modules()});
}

// A thread's last times off and on a processor: where a wait that was seen begins and ends.
void SamplingSession::take_switches() {
  const SchedulerRecords& fresh = scheduler_->fresh();
  const std::size_t switches = fresh.switches.size(), sleeps = fresh.sleeps.size();
  scheduler_->drain();
  for (std::size_t i = sleeps; i < fresh.sleeps.size() && objects_.size() < kMostObjects; ++i) {
    if (is_futex(fresh.sleeps[i].call)) objects_.insert(fresh.sleeps[i].argument);
  }
  for (std::size_t i = switches; i < fresh.switches.size(); ++i) {
    const Switch& one = fresh.switches[i];
    const auto found = threads_.find(one.tid);
    if (found == threads_.end()) {
      auto& [out, in] = early_[one.tid];
      ((one.flags & Switch::kOut) != 0 ? out : in) = one.ns;
      continue;
    }
    Recorded& thread = found->second;
    if ((one.flags & Switch::kOut) != 0) {
      thread.last_out = std::max(thread.last_out, one.ns);
    } else {
      thread.last_in = std::max(thread.last_in, one.ns);
      if (thread.waits && one.ns >= thread.wait_begin &&
          (thread.ended_at == 0 || one.ns < thread.ended_at)) {
        thread.ended_at = one.ns;
      }
    }
  }
}

void SamplingSession::begin_wait(Recorded& one, const LiveThread& live, std::uint64_t at) {
  const Waiting& waiting = live.waiting;
  if (waiting.kind == Kind::none) return;
  // The moment at which it left its processor, if that was recorded.
  one.wait_begin = one.last_out > one.last_in && one.last_out <= at ? one.last_out : at;
  one.wait_begin = std::max(one.wait_begin, one.last_end);
  one.waits = true;
  one.ended_at = 0;
  std::uint64_t object = waiting.object;
  std::uint64_t argument = live.holder;
  if (waiting.kind == Kind::join) {
    const auto joined = threads_.find(live.holder);
    object = joined != threads_.end() ? joined->second.thread.serial : 0;
  } else if (waiting.kind == Kind::futex && live.holder != 0) {
    argument |= 1u << 31;
  }
  if (waiting.kind != Kind::join && waiting.kind != Kind::call && object != 0) {
    objects_.insert(object);
  }
  std::uint16_t id = 0;
  if (!live.stack.empty()) {
    constexpr std::uint16_t kMost = 0xffff;
    const auto [at_stack, is_new] = one.stacks.try_emplace(live.stack, 0);
    if (is_new && one.stacks.size() < kMost) {
      at_stack->second = static_cast<std::uint16_t>(one.stacks.size());
      stacks_[{one.thread.serial, at_stack->second}] = live.stack;
    }
    id = at_stack->second;
  }
  one.object_kind =
      trace::pack(object, waiting.kind, waiting.timed ? trace::kTimed : std::uint8_t{0});
  one.site_stack = trace::pack(live.stack.empty() ? 0 : live.stack.front(), id);
  one.fresh.push_back({one.wait_begin << 8 | static_cast<std::uint8_t>(Type::wait_begin),
                       one.object_kind, one.site_stack, argument});
}

void SamplingSession::end_wait(Recorded& one, std::uint64_t at) {
  if (!one.waits) return;
  if (one.ended_at != 0) at = one.ended_at;
  one.waits = false;
  one.last_end = at;
  one.fresh.push_back(
      {at << 8 | static_cast<std::uint8_t>(Type::wait_end), one.object_kind, one.site_stack, 0});
}

void SamplingSession::note(const LiveThread& live) {
  const auto [found, is_new] = threads_.try_emplace(live.tid);
  Recorded& one = found->second;
  const std::uint64_t at = now();
  if (is_new || one.thread.serial != live.serial) {
    if (!is_new) finish(live.tid, one, trace::End::unseen);  // the id again, of another thread
    one = {};
    one.thread.serial = live.serial;
    one.thread.process = kProcess;
    one.thread.tid = live.tid;
    one.thread.started = std::max<std::uint64_t>(at, 1);
    one.thread.name = comm_of(pid_, static_cast<pid_t>(live.tid));
    one.first = live.turns;
    if (const auto early = early_.extract(live.tid))
      std::tie(one.last_out, one.last_in) = early.mapped();
    writer_.write(one.thread);
  }
  if (live.moved) {
    end_wait(one, at);
    if (live.blocked) begin_wait(one, live, at);
  }
  one.schedule.running_ns =
      live.turns.running_ns - std::min(one.first.running_ns, live.turns.running_ns);
  one.schedule.ready_ns = live.turns.ready_ns - std::min(one.first.ready_ns, live.turns.ready_ns);
}

void SamplingSession::finish(std::uint32_t tid, Recorded& one, trace::End how) {
  // Still in its wait: the wait ends with it.
  one.thread.end = how;
  one.thread.ended = how == trace::End::alive ? 0 : now();
  if (!one.fresh.empty()) writer_.write_events(one.thread.serial, one.fresh);
  one.fresh.clear();
  writer_.write(one.thread);
  schedules_[tid] = one.schedule;
}

void SamplingSession::look() {
  process_->look();
  take_switches();
  for (const auto& [tid, live] : process_->threads()) note(live);
  for (auto at = threads_.begin(); at != threads_.end();) {
    if (process_->threads().contains(at->first)) {
      ++at;
      continue;
    }
    finish(at->first, at->second, trace::End::unseen);
    at = threads_.erase(at);
  }
  scheduler_->write(writer_, false);
}

void SamplingSession::look_for_deadlocks() {
  for (const Cycle& cycle : process_->deadlocks()) {
    const Json alarm = deadlock_alarm(cycle, now(), [&](const Link& link) -> Described {
      const LiveThread* const live = process_->by_serial(link.thread.thread);
      if (live == nullptr) return {};
      return {live->tid, comm_of(pid_, static_cast<pid_t>(live->tid)),
              process_->variable(live->waiting.object), process_->frames(live->stack)};
    });
    writer_.write(Chunk::alarm, alarm);
    if (options_.on_alarm) options_.on_alarm(alarm);
    if (options_.kill_on_deadlock && target_ != nullptr) target_->kill(SIGKILL);
  }
}

const Thread* SamplingSession::thread(std::uint64_t serial) const {
  for (const auto& [tid, one] : threads_) {
    if (one.thread.serial == serial) return &one.thread;
  }
  return nullptr;
}

std::vector<Frame> SamplingSession::frames(std::uint64_t thread, std::uint64_t site_stack) {
  const auto id = static_cast<std::uint16_t>(site_stack >> trace::kAddressBits);
  const auto stack = stacks_.find({thread, id});
  return stack != stacks_.end() ? process_->frames(stack->second) : std::vector<Frame>();
}

// To whoever watches the program while it runs.
void SamplingSession::show() {
  std::vector<Moment> moments = process_->moments(LiveProcess::Which::all);
  for (Moment& moment : moments) {
    const auto one = threads_.find(moment.tid);
    if (one != threads_.end()) moment.waits_at = one->second.site_stack;
  }
  options_.on_look({now(), moments, *this, {}});
}

// What a killed watcher leaves is that old at most.
void SamplingSession::refresh() {
  write_process();
  scheduler_->write(writer_, true);
  for (auto& [tid, one] : threads_) {
    std::string name = comm_of(pid_, static_cast<pid_t>(tid));
    if (!name.empty()) one.thread.name = std::move(name);
    std::tie(one.schedule.voluntary, one.schedule.involuntary) =
        switches_of(pid_, static_cast<pid_t>(tid));
    if (one.fresh.empty()) continue;
    writer_.write_events(one.thread.serial, one.fresh);
    one.fresh.clear();
  }
}

// Returns whether to stop watching. Ctrl-C ends the watching of a process that ran before; a
// program that was started here got it as well.
bool SamplingSession::hear_signals() {
  while (const auto signal = signals_.next()) {
    if (target_ == nullptr) return true;
    const bool from_terminal = signal->ssi_code == SI_KERNEL;
    if (signal->ssi_signo == SIGTERM || ++interrupts_ > 1) {
      result_.interrupted = true;
      target_->kill(signal->ssi_signo == SIGTERM && interrupts_ < 2 ? SIGTERM : SIGKILL);
      ++interrupts_;
    } else if (!from_terminal) {
      target_->kill(SIGINT);
    }
  }
  return false;
}

// The rings of the scheduler's records are emptied meanwhile.
void SamplingSession::pause(std::uint64_t ns) {
  const std::uint64_t until = now() + ns;
  for (std::uint64_t at = now(); at < until; at = now()) {
    pollfd ready{signals_.file(), POLLIN, 0};
    const timespec part{0, static_cast<long>(std::min(until - at, kDrainNs))};
    if (ppoll(&ready, 1, &part, nullptr) != 0) return;
    take_switches();
  }
}

WatchResult SamplingSession::run() {
  writer_.write(Chunk::meta, meta());
  if (target_ != nullptr) {
    if (const int error = target_->go(); error != 0) {
      throw CannotWatch(std::generic_category().message(error));
    }
  }
  process_ = std::make_unique<LiveProcess>(pid_);
  write_process();
  const std::uint64_t began = own_cpu_ns(), looked = now();
  std::uint64_t refreshed = 0;
  bool gone = false;
  for (;;) {
    if (target_ != nullptr ? target_->has_ended(result_.wait_status) : process_->is_gone()) {
      gone = true;
      break;
    }
    look();
    look_for_deadlocks();
    if (options_.on_look) show();
    if (now() - refreshed >= kRefreshNs) {
      refreshed = now();
      refresh();
    }
    ++looks_;
    const std::uint64_t spent = own_cpu_ns() - began;
    const std::uint64_t allowed = kStartNs + now() / kShare;
    const std::uint64_t period =
        spent < allowed ? kShortestNs
                        : std::clamp((spent - allowed) * kShare, kShortestNs, kLongestNs);
    if (hear_signals()) break;
    pause(period);
    look_ns_ = now() - looked;
  }
  if (gone) {
    take_switches();
    scheduler_->write(writer_, true);
  } else {
    refresh();
  }
  for (auto& [tid, one] : threads_) {
    finish(tid, one, gone ? trace::End::process : trace::End::alive);
  }
  end();
  return result_;
}

void SamplingSession::write_symbols() {
  Json places = Json::array(), stacks = Json::array(), objects = Json::array();
  std::set<std::uint64_t> addresses;
  for (const auto& [id, stack] : stacks_) {
    stacks.push_back({id.first, id.second, stack});
    addresses.insert(stack.begin(), stack.end());
  }
  for (const std::uint64_t address : addresses) {
    Json frames = Json::array();
    for (const Frame& frame : process_->frames(std::span(&address, 1))) {
      frames.push_back({frame.function, frame.file, frame.line, frame.module});
    }
    places.push_back({kProcess, address, std::move(frames)});
  }
  for (const std::uint64_t object : objects_) {
    if (std::string name = process_->variable(object); !name.empty()) {
      objects.push_back({kProcess, object, std::move(name)});
    }
  }
  writer_.write(Chunk::symbols, Json{{"places", std::move(places)},
                                     {"stacks", std::move(stacks)},
                                     {"objects", std::move(objects)}});
}

void SamplingSession::end() {
  write_symbols();
  writer_.write(Chunk::meta, meta());  // again: how often it was looked at
  rusage children{}, own{};
  getrusage(RUSAGE_CHILDREN, &children);
  getrusage(RUSAGE_SELF, &own);
  const auto ns = [](const timeval& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + std::int64_t{time.tv_usec} * 1000;
  };
  Json schedules = Json::array();
  std::uint64_t cpu_ns = 0;
  for (const auto& [tid, schedule] : schedules_) {
    schedules.push_back(
        {tid, schedule.running_ns, schedule.ready_ns, schedule.voluntary, schedule.involuntary});
    cpu_ns += schedule.running_ns;
  }
  const int status = result_.wait_status;
  const bool ended_here = target_ != nullptr;
  Json end{{"ns", now()},
           {"ns_per_tick", 1},
           {"exited", ended_here && WIFEXITED(status) ? Json(WEXITSTATUS(status)) : Json()},
           {"signal", ended_here && WIFSIGNALED(status) ? Json(WTERMSIG(status)) : Json()},
           {"cpu_ns", cpu_ns},
           {"watcher_cpu_ns", ns(own.ru_utime) + ns(own.ru_stime)},
           {"processes", 1},
           {"events_lost", 0},
           {"switches_lost", scheduler_->lost()},
           {"threads_lost", 0},
           {"processes_lost", 0},
           {"schedules", std::move(schedules)}};
  if (!ended_here) end["ending"] = process_->is_gone() ? "ended" : "left running";
  writer_.write(Chunk::end, end);
  writer_.commit();
}

}  // namespace

WatchResult watch_from_outside(const WatchOptions& options, Privileges& privileges,
                               const std::string& program_path, const std::string& reason) {
  const WatchResult result = SamplingSession(options, privileges, program_path, reason).run();
  privileges.drop();  // what is left is to read what was recorded
  return result;
}

}  // namespace thrum::analysis
