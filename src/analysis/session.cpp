// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/session.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <system_error>

#include "analysis/alarm.h"
#include "analysis/collector.h"
#include "analysis/governor.h"
#include "analysis/levels.h"
#include "analysis/place_set.h"
#include "analysis/privileges.h"
#include "analysis/procfs.h"
#include "analysis/program.h"
#include "analysis/sampling_session.h"
#include "analysis/scheduler_recorder.h"
#include "analysis/scheduling.h"
#include "analysis/shared_memory.h"
#include "analysis/target.h"
#include "analysis/wait_graph.h"
#include "analysis/watcher_signals.h"
#include "trace/ticks.h"

namespace thrum::analysis {
namespace {

constexpr std::int64_t kShortestNs = 500'000;
// A deadlock is told after two looks: within a tenth of a second. Each wakes the processor.
constexpr std::int64_t kLongestNs = 25'000'000;
constexpr std::uint64_t kLookNs = 25'000'000;
constexpr double kFull = 0.25;  // of a ring: more often then
// How often the depth of queues is looked at, where there are queues.
constexpr std::uint64_t kQueuesNs = 10'000'000;
constexpr std::uint64_t kRefreshNs = 200'000'000;
constexpr std::size_t kMostObjects = 4096;  // that are named for the kernel's word alone

std::string preload(const std::string& library) {
  const char* const already = std::getenv("LD_PRELOAD");
  return already == nullptr || *already == '\0' ? library : fmt::format("{}:{}", library, already);
}

// A child that is built with the address sanitizer would refuse to run behind a library of ours.
std::string sanitizer_options() {
  constexpr const char* kNoOrder = "verify_asan_link_order=0";
  const char* const already = std::getenv("ASAN_OPTIONS");
  return already == nullptr || *already == '\0' ? kNoOrder
                                                : fmt::format("{}:{}", already, kNoOrder);
}

std::uint64_t processor_ns(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return 0;
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

class Session {
 public:
  Session(const WatchOptions& options, Privileges& privileges);
  WatchResult run();

 private:
  void sleep(std::int64_t ns);
  void hear_signals();
  void look_for_deadlocks();
  double drain_scheduler();
  std::uint64_t govern(std::uint64_t now_ns);
  void end();
  Json meta() const;

  const WatchOptions& options_;
  WatchResult result_;
  int interrupts_ = 0;
  WatcherSignals signals_;
  SharedMemory memory_;
  RecordingWriter writer_;
  Collector collector_;
  WaitGraph graph_;
  Governor governor_;
  std::uint64_t draining_ns_ = 0;  // of the processor, spent on reading and writing events
  std::unique_ptr<Target> target_;
  std::unique_ptr<SchedulerRecorder> scheduler_;
  SchedulingSampler sampler_;
  PlaceSet slept_on_;  // thread id, address
  LevelText text_;
};

Session::Session(const WatchOptions& options, Privileges& privileges)
    : options_(options),
      memory_(options.record_all),
      writer_(options.output),
      collector_(memory_, writer_) {
  const std::string library = watch_library();
  if (library.empty()) throw CannotWatch("libthrum_watch.so is not where it was installed");
  const Program program = find_program(options.command[0]);
  std::vector<std::pair<std::string, std::string>> environment = privileges.environment();
  environment.emplace_back("LD_PRELOAD", preload(library));
  environment.emplace_back("ASAN_OPTIONS", sanitizer_options());
  environment.emplace_back(trace::kWhere, memory_.where());
  target_ = std::make_unique<Target>(program.path, options.command, environment);
  if (!options.follow) memory_->header.only_pid = static_cast<std::uint32_t>(target_->pid());
  {
    const auto raised = privileges.raise();
    scheduler_ = std::make_unique<SchedulerRecorder>(
        options.level, SchedulerRecorder::Who{target_->pid(), options.follow, false},
        memory_.origin_ns());
  }
  privileges.drop();
  text_ = level_of_recorder(options.level, *scheduler_);
}

Json Session::meta() const {
  utsname system{};
  uname(&system);
  return Json{{"command", options_.command},
              {"started_unix_ns", std::chrono::duration_cast<std::chrono::nanoseconds>(
                                      std::chrono::system_clock::now().time_since_epoch())
                                      .count()},
              {"origin_ns", memory_.origin_ns()},
              {"ns_per_tick", memory_.ns_per_tick()},
              {"processors", sysconf(_SC_NPROCESSORS_ONLN)},
              {"system", fmt::format("{} {}", system.sysname, system.release)},
              {"pid", target_->pid()},
              {"record_all", options_.record_all},
              {"level", text_.level},
              {"cannot_tell", text_.cannot_tell},
              {"advice", text_.advice}};
}

// Sleeps until somebody's ring is half full, at most so long.
void Session::sleep(std::int64_t ns) {
  std::atomic<std::uint32_t>& bell = memory_->header.bell;
  bell.store(1, std::memory_order_relaxed);  // the kernel compares it again
  const timespec time{0, ns};
  constexpr int kFutexWait = 0;
  syscall(SYS_futex, &bell, kFutexWait, 1, &time, nullptr, 0);
  bell.store(0, std::memory_order_relaxed);
}

// Ctrl-C is the program's, which got it as well; a second one, and SIGTERM, end the program.
void Session::hear_signals() {
  while (const auto signal = signals_.next()) {
    const bool from_terminal = signal->ssi_code == SI_KERNEL;
    if (signal->ssi_signo == SIGTERM || ++interrupts_ > 1) {
      result_.interrupted = true;
      target_->kill(signal->ssi_signo == SIGTERM && interrupts_ < 2 ? SIGTERM : SIGKILL);
      ++interrupts_;
    } else if (!from_terminal) {
      target_->kill(SIGINT);
    }
  }
}

void Session::look_for_deadlocks() {
  const std::uint64_t now_ns = trace::monotonic_ns() - memory_.origin_ns();
  const std::vector<Moment> moments = collector_.moments();
  if (options_.on_look) options_.on_look({now_ns, moments, collector_, collector_.queues()});
  for (const Cycle& cycle : graph_.look(moments)) {
    Json alarm = deadlock_alarm(cycle, now_ns, [&](const Link& link) {
      const std::uint64_t serial = link.thread.thread;
      const Thread* const thread = collector_.thread(serial);
      const trace::Event wait{0, link.thread.waits_for, 0, 0};
      Described described{link.thread.tid, thread != nullptr ? thread->name : "",
                          collector_.variable(link.thread.process, wait.object()),
                          collector_.frames(serial, link.thread.waits_at)};
      if (link.held_site_stack != 0)
        described.took_at = collector_.frames(serial, link.held_site_stack);
      return described;
    });
    std::uint64_t formed = 0;  // with the last of its waits
    for (const Link& link : cycle) formed = std::max(formed, link.thread.waits_since);
    alarm["formed_ns"] =
        static_cast<std::uint64_t>(static_cast<double>(formed) * memory_.ns_per_tick());
    writer_.write(Chunk::alarm, alarm);
    if (options_.on_alarm) options_.on_alarm(alarm);
    if (options_.kill_on_deadlock) target_->kill(SIGKILL);
  }
}

// Lets the recorder rest if it costs too much. Returns how soon it is to be asked again.
std::uint64_t Session::govern(std::uint64_t now_ns) {
  clockid_t clock{};
  // A process that has ended has no clock any more: what it spent is not needed then.
  const bool runs = clock_getcpuclockid(target_->pid(), &clock) == 0;
  const Spent spent{now_ns, runs ? processor_ns(clock) : 0, draining_ns_, collector_.events_read()};
  const bool rest = governor_.look(spent);
  memory_->header.resting.store(rest ? 1 : 0, std::memory_order_relaxed);
  return governor_.next_ns(now_ns);
}

// Locks inside of libc are slept on without a word to the recorder: the kernel tells of them.
double Session::drain_scheduler() {
  const std::vector<Sleep>& sleeps = scheduler_->fresh().sleeps;
  const std::size_t before = sleeps.size();
  const double full = scheduler_->drain();
  for (std::size_t i = before; i < sleeps.size() && slept_on_.all().size() < kMostObjects; ++i) {
    if (is_futex(sleeps[i].call)) slept_on_.insert({sleeps[i].tid, sleeps[i].argument});
  }
  return full;
}

WatchResult Session::run() {
  writer_.write(Chunk::meta, meta());
  if (const int error = target_->go(); error != 0) {
    throw CannotWatch(std::generic_category().message(error));
  }
  std::int64_t pause_ns = 5'000'000;
  std::uint64_t looked = 0, refreshed = 0, sampled = 0;
  for (;;) {
    const bool over = target_->has_ended(result_.wait_status);
    const std::uint64_t before = processor_ns(CLOCK_PROCESS_CPUTIME_ID);
    const std::uint64_t read = collector_.events_read();
    const double of_rings = collector_.drain();
    if (collector_.events_read() != read)  // looking for nothing costs as much while it rests
      draining_ns_ += processor_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
    const double fullest = std::max(of_rings, drain_scheduler());
    scheduler_->write(writer_, over);
    if (over) break;
    const std::uint64_t now = trace::monotonic_ns();
    std::int64_t longest_ns = kLongestNs;
    if (now - sampled >= kQueuesNs) {
      sampled = now;
      if (collector_.sample_queues(now - memory_.origin_ns())) longest_ns = kQueuesNs;
    }
    if (now - looked >= kLookNs) {
      looked = now;
      collector_.reap();
      look_for_deadlocks();
    }
    if (now - refreshed >= kRefreshNs) {
      refreshed = now;
      collector_.refresh();
      scheduler_->write(writer_, true);
      writer_.flush();  // what a killed watcher leaves is that old at most
      if (scheduler_->rung() == Level::schedstat) sampler_.sample(collector_.moments());
    }
    const auto asked_ns = static_cast<std::int64_t>(govern(now - memory_.origin_ns()));
    hear_signals();
    // Each waking costs as much as some hundred events.
    if (fullest > kFull) pause_ns = std::max(kShortestNs, pause_ns / 2);
    if (fullest < kFull / 2) pause_ns = std::min(longest_ns, pause_ns * 2);
    sleep(std::clamp(asked_ns, kShortestNs, pause_ns));
  }
  end();
  return result_;
}

void Session::end() {
  const auto pid = static_cast<std::uint32_t>(target_->pid());
  const int status = result_.wait_status;
  if (WIFSIGNALED(status)) {
    collector_.process_ended(pid, trace::End::process,
                             static_cast<std::uint64_t>(WTERMSIG(status)));
  } else {
    collector_.process_ended(pid, trace::End::process, 0);
  }
  collector_.reap();
  collector_.end_all();
  collector_.add_objects(slept_on_.all());
  collector_.write_symbols();
  rusage children{}, own{};
  getrusage(RUSAGE_CHILDREN, &children);
  getrusage(RUSAGE_SELF, &own);
  const auto ns = [](const timeval& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + std::int64_t{time.tv_usec} * 1000;
  };
  Json schedules = Json::array();
  for (const auto& [tid, schedule] : sampler_.schedules()) {
    schedules.push_back(
        {tid, schedule.running_ns, schedule.ready_ns, schedule.voluntary, schedule.involuntary});
  }
  writer_.write(
      Chunk::end,
      Json{{"ns", trace::monotonic_ns() - memory_.origin_ns()},
           {"ns_per_tick", memory_.ns_per_tick()},
           {"exited", WIFEXITED(status) ? Json(WEXITSTATUS(status)) : Json()},
           {"signal", WIFSIGNALED(status) ? Json(WTERMSIG(status)) : Json()},
           {"cpu_ns", ns(children.ru_utime) + ns(children.ru_stime)},
           {"watcher_cpu_ns", ns(own.ru_utime) + ns(own.ru_stime)},
           {"voluntary", children.ru_nvcsw},
           {"involuntary", children.ru_nivcsw},
           {"processes", collector_.processes()},
           {"events_lost", collector_.lost()},
           {"rested_ns", governor_.rested_ns()},
           {"switches_lost", scheduler_->lost()},
           {"threads_lost", memory_->header.threads_lost.load(std::memory_order_relaxed)},
           {"processes_lost", memory_->header.processes_lost.load(std::memory_order_relaxed)},
           {"schedules", std::move(schedules)}});
  writer_.commit();
}

}  // namespace

WatchResult watch(const WatchOptions& options, Privileges& privileges) {
  if (options.pid != 0) {
    const std::string why = [&] {
      const auto raised = privileges.raise();
      return why_not_attach(static_cast<pid_t>(options.pid));
    }();
    if (!why.empty()) throw CannotWatch(why);
    return watch_from_outside(options, privileges, {}, {});
  }
  const Program program = find_program(options.command[0]);
  if (!program.problem.empty()) throw CannotWatch(program.problem);
  if (!program.unrecordable.empty()) {
    return watch_from_outside(options, privileges, program.path, program.unrecordable);
  }
  return Session(options, privileges).run();
}

}  // namespace thrum::analysis
