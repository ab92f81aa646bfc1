// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What it costs to go from one thread to another on one processor, and from one process to another:
// a byte goes through one pipe and comes back through another. And what it costs to set an alarm
// before one sleeps.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <thread>

#include "cases/cases.h"
#include "harness.h"
#include "peers/floors.h"
#include "shapes.h"

namespace bench {
namespace {

struct Pipe {
  Pipe() { require(pipe2(ends.data(), O_CLOEXEC) == 0, "pipe"); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    (void)close(ends[0]);
    (void)close(ends[1]);
  }
  bool put() const noexcept { return write(ends[1], "o", 1) == 1; }
  bool get() const noexcept {
    char byte = 0;
    return read(ends[0], &byte, 1) == 1;
  }
  std::array<int, 2> ends{-1, -1};
};

struct Pipes {
  Pipe there;
  Pipe back;
  void answer(std::uint64_t times) const noexcept {
    while (times-- != 0 && there.get() && back.put()) {
    }
  }
};

struct Alone {
  static void begin(const Pipes&, std::uint64_t) {}
  static void turn(const Pipes& pipes) {  // twice, as in a round trip
    require(pipes.there.put() && pipes.there.get() && pipes.back.put() && pipes.back.get(), "pipe");
  }
};

struct ToAndFro {
  static void turn(const Pipes& pipes) { require(pipes.there.put() && pipes.back.get(), "pipe"); }
};

class OtherThread : public ToAndFro {
 public:
  void begin(const Pipes& pipes, std::uint64_t turns) {
    thread_ = std::jthread([&pipes, turns] { pipes.answer(turns); });
  }

 private:
  std::jthread thread_;
};

class OtherProcess : public ToAndFro {
 public:
  OtherProcess() = default;
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;
  void begin(const Pipes& pipes, std::uint64_t turns) {
    child_ = fork();
    require(child_ >= 0, "fork");
    if (child_ == 0) {
      (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
      pipes.answer(turns);
      _exit(0);
    }
  }
  ~OtherProcess() {
    while (waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

 private:
  pid_t child_ = -1;
};

template <class Partner>
Run round_trips() {
  return [](std::uint64_t n) {
    Cost cost;
    std::jthread([&] {
      run_on(Cpus::one, 0);  // the partner inherits that
      const Pipes pipes;
      Partner partner;
      partner.begin(pipes, n + 1);
      partner.turn(pipes);  // now it runs
      const Cost begin = Cost::so_far();
      for (std::uint64_t left = n; left != 0; --left) partner.turn(pipes);
      cost = Cost::so_far() - begin;
    }).join();
    return cost;
  };
}

}  // namespace

void add_switch_cases(Cases& cases) {
  cases.push_back({.name = "switch/one-cpu",
                   .operation = "round trip through two pipes: two switches",
                   .contenders = {{"floor: the system calls alone", round_trips<Alone>()},
                                  {"threads", round_trips<OtherThread>()},
                                  {"processes", round_trips<OtherProcess>()}}});
  const auto trips = [](long most_ns) {
    return ping_pong<FutexFlag>(
        Cpus::one, [](FutexFlag& flag) { flag.set(); },
        [](FutexFlag& flag) {
          flag.wait();
          flag.clear();
        },
        most_ns);
  };
  cases.push_back({.name = "switch/alarm",
                   .operation = "round trip between two sleepers, each with an alarm or without",
                   .contenders = {{"floor: futex", trips(0)},
                                  {"floor: futex, within 1 s", trips(1'000'000'000)},
                                  // before the tick, for which the timer is set anyway
                                  {"floor: futex, within 1 ms", trips(1'000'000)}}});
}

}  // namespace bench
