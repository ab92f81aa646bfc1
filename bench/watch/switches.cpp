// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// How well the rungs of `thrum watch` see context switches, and what that costs; needs the rights
// for BPF.
//
//   watch_switches agree COMMAND...          both at once: what a user sees against what BPF knows
//   watch_switches cost ROUNDS COMMAND...    processor time for each switch, with and without
//
// Prints JSON. bench/watch_switches.py makes the result file of it.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "analysis/bpf_recorder.h"
#include "analysis/program.h"
#include "analysis/switch_recorder.h"
#include "analysis/target.h"
#include "trace/ticks.h"

using namespace thrum;
using namespace thrum::analysis;

namespace {

constexpr useconds_t kDrainUs = 5000;

[[noreturn]] void fail(const std::string& why) {
  fmt::print(stderr, "watch_switches: {}\n", why);
  std::exit(2);
}

struct Usage {
  double cpu_ns = 0;
  std::uint64_t voluntary = 0, involuntary = 0;
};

Usage used(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto ns = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_usec) * 1e3;
  };
  return {ns(usage.ru_utime) + ns(usage.ru_stime), static_cast<std::uint64_t>(usage.ru_nvcsw),
          static_cast<std::uint64_t>(usage.ru_nivcsw)};
}

// Runs the command, its output thrown away, and calls `drain` now and then. Returns what it used.
Usage run(const std::vector<std::string>& command, const std::function<void(pid_t)>& prepare,
          const std::function<void()>& drain) {
  const Program program = find_program(command[0]);
  if (!program.problem.empty()) fail(program.problem);
  const Usage before = used(RUSAGE_CHILDREN);
  Target target(program.path, command, {});
  prepare(target.pid());
  if (target.go() != 0) fail("it cannot be started");
  int status = 0;
  while (!target.has_ended(status)) {
    usleep(kDrainUs);
    drain();
  }
  drain();
  const Usage after = used(RUSAGE_CHILDREN);
  return {after.cpu_ns - before.cpu_ns, after.voluntary - before.voluntary,
          after.involuntary - before.involuntary};
}

// One process with the threads that were seen.
Recording recording_of(std::vector<Switch> switches) {
  Recording recording;
  recording.processes[1].serial = 1;
  std::uint64_t end = 0;
  for (const Switch& one : switches) {
    Thread& thread = recording.threads[one.tid];
    thread.serial = thread.tid = one.tid;
    thread.process = 1;
    thread.started = 1;
    end = std::max(end, one.ns);
  }
  recording.end = Json{{"ns", end + 1}};
  recording.scheduler.switches = std::move(switches);
  return recording;
}

struct Totals {
  std::uint64_t switches = 0, voluntary = 0, own = 0;
};
std::map<std::uint64_t, Totals> totals_of(const Recording& recording) {
  std::map<std::uint64_t, Totals> totals;
  for (const Life& life : analyse(recording).lives) {
    totals[life.thread->serial] = {life.voluntary + life.involuntary, life.voluntary,
                                   life.thread_switches};
  }
  return totals;
}

Json agree(const std::vector<std::string>& command) {
  std::unique_ptr<BpfRecorder> bpf;
  std::unique_ptr<SwitchRecorder> user;
  SchedulerRecords truth;
  std::vector<Switch> seen;
  const std::uint64_t origin = trace::monotonic_ns();
  const Usage usage = run(
      command,
      [&](pid_t pid) {
        bpf = std::make_unique<BpfRecorder>(pid, false, origin);
        user = std::make_unique<SwitchRecorder>(pid, false, origin);
        if (!bpf->active()) fail(bpf->refusal());
        if (!user->active()) fail(user->refusal());
      },
      [&] {
        bpf->drain(truth);
        user->drain(seen);
      });
  const std::size_t wakes = truth.wakes.size();
  const Recording exact = recording_of(std::move(truth.switches));
  const Recording guessed = recording_of(std::move(seen));
  const auto known = totals_of(exact), told = totals_of(guessed);
  Totals sum, user_sum;
  std::uint64_t missed = 0, invented = 0;
  for (const auto& [tid, one] : known) {
    sum.switches += one.switches;
    sum.voluntary += one.voluntary;
    sum.own += one.own;
    const auto found = told.find(tid);
    const std::uint64_t own = found != told.end() ? found->second.own : 0;
    missed += one.own - std::min(one.own, own);
    invented += own - std::min(one.own, own);
  }
  for (const auto& [tid, one] : told) {
    user_sum.switches += one.switches;
    user_sum.voluntary += one.voluntary;
    user_sum.own += one.own;
  }
  const double right = 1 - static_cast<double>(missed + invented) /
                               static_cast<double>(std::max<std::uint64_t>(1, sum.switches));
  return Json{{"command", command},
              {"getrusage", {{"voluntary", usage.voluntary}, {"involuntary", usage.involuntary}}},
              {"bpf",
               {{"voluntary", sum.voluntary},
                {"involuntary", sum.switches - sum.voluntary},
                {"to_own", sum.own},
                {"wakes", wakes},
                {"lost", bpf->lost()}}},
              {"switch_records",
               {{"voluntary", user_sum.voluntary},
                {"involuntary", user_sum.switches - user_sum.voluntary},
                {"to_own", user_sum.own},
                {"lost", user->lost()}}},
              {"missed_thread_switches", missed},
              {"invented_thread_switches", invented},
              {"classified_right", right}};
}

Json cost(int rounds, const std::vector<std::string>& command) {
  std::vector<double> none, user, bpf;
  for (int i = 0; i < rounds; ++i) {
    const auto per_switch = [](const Usage& usage) {
      return usage.cpu_ns /
             static_cast<double>(std::max<std::uint64_t>(1, usage.voluntary + usage.involuntary));
    };
    none.push_back(per_switch(run(command, [](pid_t) {}, [] {})));
    std::unique_ptr<SwitchRecorder> one;
    std::vector<Switch> seen;
    user.push_back(per_switch(run(
        command,
        [&](pid_t pid) {
          one = std::make_unique<SwitchRecorder>(pid, false, 0);
          if (!one->active()) fail(one->refusal());
        },
        [&] {
          seen.clear();
          one->drain(seen);
        })));
    one.reset();
    std::unique_ptr<BpfRecorder> other;
    SchedulerRecords records;
    bpf.push_back(per_switch(run(
        command,
        [&](pid_t pid) {
          other = std::make_unique<BpfRecorder>(pid, false, 0);
          if (!other->active()) fail(other->refusal());
        },
        [&] {
          records = {};
          other->drain(records);
        })));
  }
  return Json{{"command", command},
              {"cpu_ns_per_switch", {{"alone", none}, {"switch_records", user}, {"bpf", bpf}}}};
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  // What the commands print is of no interest.
  std::FILE* const out = fdopen(dup(STDOUT_FILENO), "w");
  if (out == nullptr || std::freopen("/dev/null", "w", stdout) == nullptr) fail("no output");
  if (words.size() >= 2 && words[0] == "agree") {
    fmt::print(out, "{}\n", agree({words.begin() + 1, words.end()}).dump());
  } else if (words.size() >= 3 && words[0] == "cost" && std::atoi(words[1].c_str()) > 0) {
    fmt::print(out, "{}\n",
               cost(std::atoi(words[1].c_str()), {words.begin() + 2, words.end()}).dump());
  } else {
    fail("agree COMMAND..., or cost ROUNDS COMMAND...");
  }
}
