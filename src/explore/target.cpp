// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "explore/target.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>

#include "check/protocol.h"

namespace thrum::explore {
namespace {

using check::Outcome;
using check::Phase;
using check::Shared;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int memory_file(const char* name) {
  const int fd = memfd_create(name, MFD_CLOEXEC);
  if (fd < 0) fail("memfd_create");
  return fd;
}

template <class Word>
void wait_on(const std::atomic<Word>& word, Word seen, std::chrono::milliseconds slice) {
  const timespec time{slice.count() / 1000, (slice.count() % 1000) * 1'000'000};
  syscall(SYS_futex, &word, FUTEX_WAIT, static_cast<std::uint32_t>(seen), &time, nullptr, 0);
}

// In the child, between fork and exec.
[[noreturn]] void become(const Program& program, const std::vector<std::string>& command,
                         int descriptor, int errors, const TargetOptions& options, int failure) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  if (!options.show_output) {
    dup2(nothing, STDOUT_FILENO);
    dup2(options.capture_errors ? errors : nothing, STDERR_FILENO);
  }
  dup2(descriptor, kSharedDescriptor);
  personality(ADDR_NO_RANDOMIZE);
  for (const std::string& variable : environment_of_target()) {
    const std::size_t name = variable.find('=');
    setenv(variable.substr(0, name).c_str(), variable.c_str() + name + 1, 1);
  }
  std::vector<char*> arguments;
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  execv(program.path.c_str(), arguments.data());
  const int why = errno;
  [[maybe_unused]] const ssize_t written = write(failure, &why, sizeof why);
  _exit(127);
}

std::chrono::nanoseconds processor_time(pid_t process) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(process, &clock) == 0) clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// It waits for something other than a processor or a disk, and nobody has stopped it.
bool is_asleep(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string line;
  std::getline(file, line);
  const std::size_t name = line.rfind(')');  // the state is the word after it
  return name != std::string::npos && line.compare(name, 3, ") S") == 0;
}

std::string syscall_of(pid_t process) {
  std::ifstream state(fmt::format("/proc/{}/syscall", process));
  std::string number;
  if (!(state >> number) || number == "running") {
    return "it computes without coming to a point at which threads could switch";
  }
  struct Known {
    long number;
    const char* name;
  };
  static constexpr Known kKnown[] = {{SYS_read, "read"},
                                     {SYS_recvfrom, "recv"},
                                     {SYS_accept, "accept"},
                                     {SYS_accept4, "accept"},
                                     {SYS_poll, "poll"},
                                     {SYS_ppoll, "ppoll"},
                                     {SYS_select, "select"},
                                     {SYS_pselect6, "pselect"},
                                     {SYS_epoll_wait, "epoll_wait"},
                                     {SYS_epoll_pwait, "epoll_wait"},
                                     {SYS_wait4, "wait"},
                                     {SYS_waitid, "waitid"},
                                     {SYS_futex, "futex"},
                                     {SYS_pause, "pause"},
                                     {SYS_rt_sigtimedwait, "sigwait"},
                                     {SYS_connect, "connect"},
                                     {SYS_flock, "flock"},
                                     {SYS_fcntl, "fcntl"},
                                     {SYS_write, "write"},
                                     {SYS_rt_sigsuspend, "sigsuspend"}};
  for (const Known& known : kKnown) {
    if (std::to_string(known.number) == number) {
      return fmt::format("it waits in {}(), which thrum check does not control", known.name);
    }
  }
  return fmt::format("it waits in system call {}, which thrum check does not control", number);
}

}  // namespace

SharedMemory make_shared_memory(const check::Job& job, const TargetOptions& options) {
  const int descriptor = memory_file("thrum check");
  if (ftruncate(descriptor, sizeof(Shared)) != 0) fail("ftruncate");
  void* const at = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (at == MAP_FAILED) fail("mmap");
  auto* const shared = static_cast<Shared*>(at);  // zeroed: all that it begins with
  shared->protocol = check::kProtocol;
  shared->job = job;
  shared->exploration = options.exploration;
  if (options.wanted != nullptr) shared->wanted = *options.wanted;
  return {descriptor, shared};
}

// The same addresses in each run come from personality(); no work of the dynamic linker in each
// execution from LD_BIND_NOW.
std::vector<std::string> environment_of_target() {
  std::string preload = runtime_library();
  if (const char* const others = std::getenv("LD_PRELOAD")) preload += fmt::format(":{}", others);
  return {"LD_BIND_NOW=1", fmt::format("{}={}", check::kDescriptorVariable, kSharedDescriptor),
          "LD_PRELOAD=" + preload};
}

Target::Target(const Program& program, const std::vector<std::string>& command,
               const check::Job& first_job, const TargetOptions& options)
    : errors_(memory_file("standard error")), options_(options) {
  const SharedMemory memory = make_shared_memory(first_job, options);
  descriptor_ = memory.descriptor;
  shared_ = memory.shared;
  fcntl(errors_, F_SETFL, O_APPEND);
  int failure[2];
  if (pipe2(failure, O_CLOEXEC) != 0) fail("pipe");
  process_ = fork();
  if (process_ < 0) fail("fork");
  if (process_ == 0) {
    become(program, command, descriptor_, errors_, options, failure[1]);
  }
  close(failure[1]);
  int why = 0;
  const ssize_t n = read(failure[0], &why, sizeof why);
  close(failure[0]);
  if (n == sizeof why) {
    waitpid(process_, nullptr, 0);
    process_ = -1;
    throw CannotCheck(std::strerror(why));
  }
}

Target::~Target() {
  if (process_ > 0 && !ended_) {
    // Its worker dies with it.
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  if (shared_ != nullptr) munmap(shared_, sizeof(Shared));
  if (descriptor_ >= 0) close(descriptor_);
  if (errors_ >= 0) close(errors_);
}

void Target::look_for_the_end() {
  int status = 0;
  if (ended_ || waitpid(process_, &status, WNOHANG) != process_) return;
  ended_ = true;
  check::Result& result = shared_->result;
  if (result.outcome == Outcome::running) {
    result.status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    if (WIFSIGNALED(status)) {
      result.outcome = result.status == SIGABRT ? Outcome::aborted : Outcome::crash;
    } else {
      result.outcome = result.status == 0 ? Outcome::clean : Outcome::exit_status;
    }
  }
  shared_->phase.store(Phase::ended, std::memory_order_relaxed);
}

// A machine that is busy with other work, or that was suspended, makes no hang: what counts is how
// long the program has computed, or how long it has slept in one call.
void Target::look_for_a_hang() {
  const std::uint64_t progress =
      shared_->counts.schedules * 1'000'003 + shared_->counts.forks * 101 + shared_->result.steps;
  const pid_t worker = shared_->worker.load(std::memory_order_relaxed);
  const pid_t process = worker != 0 ? worker : process_;
  const std::chrono::nanoseconds computed = processor_time(process);
  const bool is_at_point = progress != last_progress_ || process != watched_;
  if (is_at_point) {
    last_progress_ = progress;
    watched_ = process;
    computed_at_point_ = computed;
  }
  if (is_at_point || computed != computed_ || !is_asleep(process)) {
    computed_ = computed;
    asleep_since_ = Clock::now();
  }
  if (computed - computed_at_point_ < options_.patience &&
      Clock::now() - asleep_since_ < options_.patience) {
    return;
  }
  const std::string why = syscall_of(process);
  check::Result& result = shared_->result;
  result.outcome = Outcome::hang;
  const std::size_t length = std::min(why.size(), sizeof result.message - 1);
  std::memcpy(result.message, why.c_str(), length);
  result.message[length] = 0;
  kill(process, SIGKILL);
  watched_ = 0;
}

bool Target::ready() {
  for (;;) {
    const Phase phase = shared_->phase.load(std::memory_order_acquire);  // [answer]
    if (phase == Phase::ready) return true;
    if (phase == Phase::ended) return false;
    look_for_the_end();
    if (ended_) return false;
    look_for_a_hang();
    wait_on(shared_->phase, phase, std::chrono::milliseconds(50));
  }
}

void Target::post(const check::Job& job) {
  shared_->job = job;
  shared_->stop.store(0, std::memory_order_relaxed);
  shared_->command.store(++posted_, std::memory_order_release);  // [command]
  watched_ = 0;
  syscall(SYS_futex, &shared_->command, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

bool Target::done(std::chrono::milliseconds slice) {
  if (ended_) return true;
  const std::uint32_t answered = shared_->answered.load(std::memory_order_acquire);  // [answer]
  if (answered == posted_) return true;
  wait_on(shared_->answered, answered, slice);
  if (shared_->answered.load(std::memory_order_acquire) == posted_) return true;  // [answer]
  look_for_the_end();
  if (ended_) return true;
  look_for_a_hang();
  return false;
}

void Target::stop() { shared_->stop.store(1, std::memory_order_relaxed); }

const check::Result& Target::run(const check::Job& job) {
  shared_->result.outcome = Outcome::running;  // what it says if the process is no more
  post(job);
  while (!done(std::chrono::milliseconds(100))) {
  }
  return result();
}

std::string Target::take_errors() {
  std::string text(4096, '\0');
  const ssize_t n = pread(errors_, text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  [[maybe_unused]] const int result = ftruncate(errors_, 0);
  return text;
}

}  // namespace thrum::explore
