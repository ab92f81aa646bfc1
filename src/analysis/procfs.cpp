// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/procfs.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <system_error>
#include <utility>

namespace thrum::analysis {
namespace {

std::string path_of(pid_t pid, pid_t tid, const char* name) {
  return fmt::format("/proc/{}/task/{}/{}", pid, tid, name);
}

std::string link_of(const std::string& path) {
  char to[4096];
  const ssize_t n = readlink(path.c_str(), to, sizeof to);
  return n > 0 ? std::string(to, static_cast<std::size_t>(n)) : std::string();
}

// Returns what follows `key` in a file of lines, up to the line's end.
std::string field_of(const std::string& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t at = line.find_first_not_of(" \t:", key.size());
    return at != std::string::npos ? line.substr(at) : std::string();
  }
  return {};
}

template <class Number>
Number number_in(std::string_view text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool read_bytes(pid_t pid, std::uint64_t address, void* to, std::size_t n) {
  iovec ours{to, n};
  iovec theirs{reinterpret_cast<void*>(address), n};
  return process_vm_readv(pid, &ours, 1, &theirs, 1, 0) == static_cast<ssize_t>(n);
}

// Returns what the loader added to the addresses of a file whose head is mapped at `low`.
std::uint64_t bias_of(pid_t pid, std::uint64_t low) {
  Elf64_Ehdr head{};
  if (!read_bytes(pid, low, &head, sizeof head) || std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
    return low;
  const int segments = std::min<int>(head.e_phnum, 64);
  for (int i = 0; i < segments; ++i) {
    Elf64_Phdr segment{};
    if (!read_bytes(pid, low + head.e_phoff + static_cast<std::size_t>(i) * sizeof segment,
                    &segment, sizeof segment)) {
      break;
    }
    if (segment.p_type == PT_LOAD) return low - (segment.p_vaddr & ~std::uint64_t{0xfff});
  }
  return low;
}

std::string user_name(uid_t uid) {
  const passwd* const user = getpwuid(uid);
  return user != nullptr ? user->pw_name : std::to_string(uid);
}

}  // namespace

TaskFiles::TaskFiles(pid_t pid, pid_t tid) : folder_(path_of(pid, tid, "")) {}
TaskFiles::~TaskFiles() { close(); }
TaskFiles::TaskFiles(TaskFiles&& other) noexcept
    : folder_(std::move(other.folder_)),
      turns_(std::exchange(other.turns_, {})),
      state_(std::exchange(other.state_, {})),
      call_(std::exchange(other.call_, {})) {}
TaskFiles& TaskFiles::operator=(TaskFiles&& other) noexcept {
  close();
  folder_ = std::move(other.folder_);
  turns_ = std::exchange(other.turns_, {});
  state_ = std::exchange(other.state_, {});
  call_ = std::exchange(other.call_, {});
  return *this;
}

void TaskFiles::close() {
  for (const File* const one : {&turns_, &state_, &call_}) {
    if (one->file >= 0) ::close(one->file);
  }
}

// Where no descriptors are left to keep one, it is opened each time.
std::string TaskFiles::read(File& file) {
  constexpr int kOthersNeedThem = 64;
  if (file.file < 0) {
    file.file = open((folder_ + file.name).c_str(), O_RDONLY | O_CLOEXEC);
    if (file.file < 0) return {};
  }
  char text[512];
  const ssize_t n = pread(file.file, text, sizeof text, 0);
  const bool keep = file.file < sysconf(_SC_OPEN_MAX) - kOthersNeedThem;
  if (!keep) ::close(std::exchange(file.file, -1));
  return n > 0 ? std::string(text, static_cast<std::size_t>(n)) : std::string();
}

std::optional<Turns> TaskFiles::turns() {
  const std::string text = read(turns_);
  unsigned long long running = 0, ready = 0, times = 0;
  if (std::sscanf(text.c_str(), "%llu %llu %llu", &running, &ready, &times) != 3) return {};
  return Turns{running, ready, times};
}

std::optional<char> TaskFiles::state() {
  const std::string text = read(state_);
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text.size()) return {};
  return text[name_end + 2];
}

std::optional<Call> TaskFiles::call() {
  const std::string text = read(call_);
  Call call;
  std::array<unsigned long long, 8> words{};
  const int n = std::sscanf(text.c_str(), "%ld %llx %llx %llx %llx %llx %llx %llx %llx",
                            &call.number, words.data(), &words[1], &words[2], &words[3], &words[4],
                            &words[5], &words[6], &words[7]);
  if (n == 3) {  // no system call: -1, sp, pc
    call.number = -1;
    call.sp = words[0];
    call.pc = words[1];
    return call;
  }
  if (n != 9) return {};
  std::copy_n(words.begin(), call.arguments.size(), call.arguments.begin());
  call.sp = words[6];
  call.pc = words[7];
  return call;
}

std::vector<pid_t> tasks_of(pid_t pid) {
  std::vector<pid_t> tids;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(
      opendir(fmt::format("/proc/{}/task", pid).c_str()), closedir);
  while (const dirent* const entry = folder != nullptr ? readdir(folder.get()) : nullptr) {
    if (const auto tid = number_in<pid_t>(entry->d_name); tid > 0) tids.push_back(tid);
  }
  std::ranges::sort(tids);
  return tids;
}

std::string comm_of(pid_t pid, pid_t tid) {
  std::ifstream file(path_of(pid, tid, "comm"));
  std::string name;
  std::getline(file, name);
  return name;
}

std::uint32_t inner_id(pid_t pid, pid_t tid) {
  const std::string ids = field_of(path_of(pid, tid, "status"), "NSpid:");
  const std::size_t last = ids.find_last_of(" \t");
  const auto inner = number_in<std::uint32_t>(
      last == std::string::npos ? ids : std::string_view(ids).substr(last + 1));
  return inner != 0 ? inner : static_cast<std::uint32_t>(tid);
}

std::optional<std::uint64_t> ns_since_it_ran(pid_t pid, pid_t tid) {
  // Milliseconds of the clock of the processor that it ran on; each processor has its own, which
  // leaves out what a hypervisor took. Now is read by running there.
  const auto last_ran = [](const std::string& path) -> std::optional<double> {
    std::istringstream text(field_of(path, "se.exec_start"));
    double ms = 0;
    return text >> ms ? std::optional(ms) : std::nullopt;
  };
  const auto theirs = last_ran(path_of(pid, tid, "sched"));
  if (!theirs) return {};
  std::ifstream stat(path_of(pid, tid, "stat"));
  std::string line;
  std::getline(stat, line);
  constexpr int kProcessor = 36;  // words behind the name, which may hold anything
  std::istringstream words(line.substr(std::min(line.rfind(')') + 1, line.size())));
  std::string word;
  for (int i = 0; i <= kProcessor; ++i) words >> word;
  const auto cpu = number_in<unsigned>(word);
  cpu_set_t before, there;
  CPU_ZERO(&there);
  if (!words || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof before, &before) != 0) return {};
  CPU_SET(cpu, &there);
  if (sched_setaffinity(0, sizeof there, &there) != 0) return {};
  const auto now = last_ran("/proc/thread-self/sched");
  sched_setaffinity(0, sizeof before, &before);
  if (!now) return {};
  return static_cast<std::uint64_t>(std::max(0.0, *now - *theirs) * 1e6);
}

std::pair<std::uint64_t, std::uint64_t> switches_of(pid_t pid, pid_t tid) {
  std::ifstream status(path_of(pid, tid, "status"));
  std::pair<std::uint64_t, std::uint64_t> switches{};
  for (std::string line; std::getline(status, line);) {
    const std::size_t at = line.find_first_of("0123456789");
    if (at == std::string::npos) continue;
    const auto n = number_in<std::uint64_t>(std::string_view(line).substr(at));
    if (line.starts_with("voluntary_ctxt_switches:")) switches.first = n;
    if (line.starts_with("nonvoluntary_ctxt_switches:")) switches.second = n;
  }
  return switches;
}

std::vector<std::string> command_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/cmdline", pid));
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  if (words.empty()) words.push_back(comm_of(pid, pid));
  return words;
}

std::string descriptor_of(pid_t pid, std::uint64_t descriptor) {
  return link_of(fmt::format("/proc/{}/fd/{}", pid, descriptor));
}

std::vector<Module> modules_of(pid_t pid) {
  // Another mount namespace has its own files; a file that was deleted is only there as what runs.
  const bool same_root =
      link_of(fmt::format("/proc/{}/ns/mnt", pid)) == link_of("/proc/self/ns/mnt");
  const std::string root = same_root ? std::string() : fmt::format("/proc/{}/root", pid);
  const std::string program = link_of(fmt::format("/proc/{}/exe", pid));
  std::vector<Module> modules;
  std::map<std::string, std::size_t> known;
  std::ifstream maps(fmt::format("/proc/{}/maps", pid));
  for (std::string line; std::getline(maps, line);) {
    unsigned long long low = 0, high = 0, offset = 0;
    int path_at = 0;
    if (std::sscanf(line.c_str(), "%llx-%llx %*s %llx %*s %*s %n", &low, &high, &offset, &path_at) <
            3 ||
        path_at <= 0 || static_cast<std::size_t>(path_at) >= line.size() ||
        line[static_cast<std::size_t>(path_at)] != '/') {
      continue;
    }
    const std::string path = line.substr(static_cast<std::size_t>(path_at));
    const auto [at, is_new] = known.try_emplace(path, modules.size());
    if (!is_new) {
      modules[at->second].high = std::max<std::uint64_t>(modules[at->second].high, high);
    } else if (offset == 0) {
      const bool is_deleted = path.ends_with(" (deleted)");
      const std::string file =
          is_deleted && path == program ? fmt::format("/proc/{}/exe", pid) : root + path;
      modules.push_back({bias_of(pid, low), low, high, file});
    } else {
      known.erase(at);
    }
  }
  return modules;
}

std::string why_not_attach(pid_t pid) {
  const std::string folder = fmt::format("/proc/{}", pid);
  struct stat status{};
  if (pid <= 0 || stat(folder.c_str(), &status) != 0) return "no such process";
  const std::string process = folder + "/status";
  if (const auto leader = number_in<pid_t>(field_of(process, "Tgid"));
      leader != 0 && leader != pid) {
    return fmt::format("a thread of process {0}: thrum watch --pid {0}", leader);
  }
  const std::string state = field_of(process, "State");
  if (state.starts_with("Z") && tasks_of(pid).size() <= 1) {
    return "a zombie: it has ended, and its parent did not ask how";
  }
  if (state.empty() || state.starts_with("X")) return "it has just ended";
  const auto kernel_thread = [&] {
    return field_of(process, "VmSize").empty() && !state.starts_with("Z");
  };
  std::ifstream call(fmt::format("{0}/task/{1}/syscall", folder, pid));
  errno = 0;
  std::string text;
  if (call && std::getline(call, text)) {
    return kernel_thread() ? "a thread of the kernel" : std::string();
  }
  if (errno == ENOENT && access(folder.c_str(), F_OK) == 0) {
    return "this kernel does not say what a thread waits for (/proc/PID/syscall)";
  }
  if (access(folder.c_str(), F_OK) != 0) return "it has just ended";
  if (kernel_thread()) return "a thread of the kernel";
  const std::string as_root = fmt::format("sudo thrum watch --pid {}", pid);
  if (status.st_uid != geteuid() && status.st_uid != 0) {
    return fmt::format("it belongs to {}: {}", user_name(status.st_uid), as_root);
  }
  int scope = 0;
  std::ifstream("/proc/sys/kernel/yama/ptrace_scope") >> scope;
  if (scope == 3) {
    return "nobody may look into another process until the next boot (kernel.yama.ptrace_scope is "
           "3)";
  }
  if (scope == 1) {
    return "only a parent may look into a process: sudo sysctl kernel.yama.ptrace_scope=0";
  }
  if (geteuid() != 0) return fmt::format("its memory is root's alone: {}", as_root);
  return "the system lets nobody look inside (it needs CAP_SYS_PTRACE: a container without it?)";
}

namespace {

struct CallName {
  long number;
  const char* name;
  bool descriptor = false;
};

// The calls that a thread is met blocked in; others have a number. x86-64's numbers, which are
// those of its ABI and never change.
constexpr CallName kCalls[] = {
    {0, "read", true},
    {1, "write", true},
    {3, "close", true},
    {7, "poll"},
    {9, "mmap"},
    {10, "mprotect"},
    {11, "munmap"},
    {12, "brk"},
    {16, "ioctl", true},
    {17, "pread64", true},
    {18, "pwrite64", true},
    {19, "readv", true},
    {20, "writev", true},
    {23, "select"},
    {24, "sched_yield"},
    {26, "msync"},
    {28, "madvise"},
    {34, "pause"},
    {35, "nanosleep"},
    {40, "sendfile", true},
    {42, "connect", true},
    {43, "accept", true},
    {44, "sendto", true},
    {45, "recvfrom", true},
    {46, "sendmsg", true},
    {47, "recvmsg", true},
    {56, "clone"},
    {57, "fork"},
    {58, "vfork"},
    {59, "execve"},
    {60, "exit"},
    {61, "wait4"},
    {65, "semop"},
    {69, "msgsnd"},
    {70, "msgrcv"},
    {72, "fcntl", true},
    {73, "flock", true},
    {74, "fsync", true},
    {75, "fdatasync", true},
    {128, "rt_sigtimedwait"},
    {130, "rt_sigsuspend"},
    {202, "futex"},
    {208, "io_getevents"},
    {219, "restart_syscall"},
    {220, "semtimedop"},
    {230, "clock_nanosleep"},
    {231, "exit_group"},
    {232, "epoll_wait", true},
    {247, "waitid"},
    {257, "openat"},
    {270, "pselect6"},
    {271, "ppoll"},
    {275, "splice", true},
    {281, "epoll_pwait", true},
    {285, "fallocate", true},
    {288, "accept4", true},
    {295, "preadv", true},
    {296, "pwritev", true},
    {299, "recvmmsg", true},
    {307, "sendmmsg", true},
    {426, "io_uring_enter", true},
    {435, "clone3"},
    {441, "epoll_pwait2", true},
    {449, "futex_waitv"},
};

const CallName* find_call(long number) {
#if defined(__x86_64__)
  const auto* const found = std::ranges::find(kCalls, number, &CallName::number);
  return found != std::end(kCalls) ? found : nullptr;
#else
  (void)number;
  return nullptr;
#endif
}

}  // namespace

std::string name_of_call(long number) {
  if (number < 0) return "the kernel";
  const CallName* const call = find_call(number);
  return call != nullptr ? call->name : fmt::format("system call {}", number);
}

bool is_futex(long number) { return number == SYS_futex; }
bool is_sleep(long number) { return number == SYS_nanosleep || number == SYS_clock_nanosleep; }

bool may_wake(long waker, long sleeper) {
  constexpr long kFutexWake = 454, kFutexRequeue = 456;
  const bool signals = waker == SYS_kill || waker == SYS_tkill || waker == SYS_tgkill;
  if (signals || is_sleep(sleeper)) return signals;
  // The end of a thread is told by a futex.
  if (is_futex(sleeper)) {
    return is_futex(waker) || waker == kFutexWake || waker == kFutexRequeue || waker == SYS_exit ||
           waker == SYS_exit_group;
  }
  return !is_futex(waker) && !is_sleep(waker);
}

bool waits_for_descriptor(long number) {
  const CallName* const call = find_call(number);
  return call != nullptr && call->descriptor;
}

}  // namespace thrum::analysis
