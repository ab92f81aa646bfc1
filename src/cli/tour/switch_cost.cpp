// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/tour/switch_cost.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <system_error>
#include <utility>

#include "cli/tour/section.h"

namespace thrum::cli {
namespace {

constexpr int kRounds = 301;
constexpr int kThrows = 100;  // few: who is preempted by others spoils one round only

[[noreturn]] void give_up(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) give_up("pipe");
  }
  ~Pipe() {
    close_out();
    close_in();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int out() const { return ends_[0]; }
  int in() const { return ends_[1]; }
  void close_out() { drop(ends_[0]); }
  void close_in() { drop(ends_[1]); }

 private:
  static void drop(int& fd) {
    if (fd >= 0) close(std::exchange(fd, -1));
  }
  std::array<int, 2> ends_{-1, -1};
};

// Between the two: only system calls, so that a forked child may run it.
struct Court {
  Pipe there;
  Pipe back;
};

bool pass(int in, char& ball) { return write(in, &ball, 1) == 1; }
bool take(int out, char& ball) { return read(out, &ball, 1) == 1; }

// Throws back whatever comes, until nobody throws any more.
void serve(int out, int in) {
  char ball = 0;
  while (take(out, ball) && pass(in, ball)) {
  }
}

struct Round {
  double ns_per_throw = 0;
  double switches_per_throw = 0;
};

Round play(int in, int out) {
  char ball = 'o';
  const ThreadHandle me = threading::current_thread();
  const Switches before = me.switches().value_or(Switches{});
  const std::int64_t start_ns = Deadline::now_ns();
  for (int i = 0; i < kThrows / 2; ++i) {
    if (!pass(in, ball) || !take(out, ball)) give_up("pipe");
  }
  const auto elapsed_ns = static_cast<double>(Deadline::now_ns() - start_ns);
  // Ours; the partner makes as many. A partner who wakes may take the processor at once, or wait
  // until we block.
  const Switches after = me.switches().value_or(Switches{});
  const auto switched = static_cast<double>(after.voluntary - before.voluntary + after.involuntary -
                                            before.involuntary);
  return {elapsed_ns / kThrows, switched * 2 / kThrows};
}

// A partner in a process of its own, on the processor of the thread that makes it.
class OtherProcess {
 public:
  OtherProcess() {
    child_ = fork();
    if (child_ < 0) give_up("fork");
    if (child_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      close(court_.there.in());
      close(court_.back.out());
      serve(court_.there.out(), court_.back.in());
      _exit(0);
    }
    court_.there.close_out();
    court_.back.close_in();
  }
  ~OtherProcess() {
    court_.there.close_in();
    while (waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;
  Round play_with() { return play(court_.there.in(), court_.back.out()); }

 private:
  Court court_;
  pid_t child_ = -1;
};

// A partner in a thread of its own, bound like the one that makes it.
class OtherThread {
 public:
  explicit OtherThread(const std::vector<int>& affinity)
      : partner_({.name = "partner", .affinity = affinity},
                 [this] { serve(court_.there.out(), court_.back.in()); }) {
    partner_.start();
  }
  ~OtherThread() {
    court_.there.close_in();
    partner_.join();
  }
  OtherThread(const OtherThread&) = delete;
  OtherThread& operator=(const OtherThread&) = delete;
  Round play_with() { return play(court_.there.in(), court_.back.out()); }

 private:
  Court court_;
  Thread partner_;
};

Spread spread_of(std::vector<double> values) {
  std::ranges::sort(values);
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(
        std::lround(share * static_cast<double>(values.size() - 1)))];
  };
  return {at(0.5), at(0.1), at(0.9)};
}

void measure(const std::vector<int>& affinity, const std::stop_token& stop, SwitchCosts& costs) {
  OtherProcess process;  // first: it must not inherit the thread's ends of the pipes
  OtherThread thread(affinity);
  Pipe alone;
  std::vector<double> process_ns;
  std::vector<double> thread_ns;
  std::vector<double> calls_ns;
  std::vector<double> process_switches;
  std::vector<double> thread_switches;
  (void)process.play_with();  // to warm up
  (void)thread.play_with();
  while (costs.rounds < kRounds && !stop.stop_requested()) {
    const Round by_process = process.play_with();
    const Round by_thread = thread.play_with();
    process_ns.push_back(by_process.ns_per_throw);
    process_switches.push_back(by_process.switches_per_throw);
    thread_ns.push_back(by_thread.ns_per_throw);
    thread_switches.push_back(by_thread.switches_per_throw);
    calls_ns.push_back(2 * play(alone.in(), alone.out()).ns_per_throw);
    ++costs.rounds;
  }
  if (costs.rounds == 0) {
    costs.failed = "stopped before the first round";
    return;
  }
  costs.throws = kThrows;
  costs.process = spread_of(process_ns);
  costs.thread = spread_of(thread_ns);
  costs.calls = spread_of(calls_ns);
  costs.process_switches_per_throw = spread_of(process_switches).median_ns;
  costs.thread_switches_per_throw = spread_of(thread_switches).median_ns;
}

}  // namespace

SwitchCosts measure_switch_costs(const std::stop_token& stop) {
  const auto attempt = [&](std::vector<int> affinity) {
    SwitchCosts costs;
    Thread player({.name = "player", .affinity = affinity}, [&] {
      try {
        measure(affinity, stop, costs);
      } catch (const std::system_error& error) {
        costs.failed = error.what();
      }
    });
    player.start();
    player.join();
    return costs;
  };
  const int cpu = usable_cpu();
  if (cpu >= 0) {
    try {
      SwitchCosts costs = attempt({cpu});
      costs.cpu = cpu;
      return costs;
    } catch (const std::system_error&) {
      // We may not bind threads here.
    }
  }
  return attempt({});
}

}  // namespace thrum::cli
