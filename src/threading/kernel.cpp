// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "threading/kernel.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <ctime>
#include <memory>
#include <string_view>

namespace thrum::kernel {
namespace {

// Reads a small file of /proc at once; empty if it cannot.
std::string read_task_file(std::uint32_t native_id, const char* name) {
  const std::string path = "/proc/self/task/" + std::to_string(native_id) + "/" + name;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::string text(4096, '\0');
  const ssize_t size = ::read(file, text.data(), text.size());
  ::close(file);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

std::uint64_t number_after(std::string_view text, std::string_view key) {
  std::uint64_t number = 0;
  if (const auto at = text.find(key); at != std::string_view::npos) {
    const auto first = text.find_first_of("0123456789", at + key.size());
    if (first != std::string_view::npos) {
      std::from_chars(text.data() + first, text.data() + text.size(), number);
    }
  }
  return number;
}

// The processor time of any thread of this process: MAKE_THREAD_CPUCLOCK of linux/posix-timers.h,
// a stable part of the kernel's interface (pthread_getcpuclockid builds the same).
std::int64_t cpu_ns(std::uint32_t native_id) noexcept {
  const clockid_t clock = static_cast<clockid_t>((~native_id << 3) | 4 | 2);
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) return 0;
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::optional<Life> life_of(std::uint32_t native_id) {
  // After the name in brackets, which may hold anything but ends at the last bracket.
  const std::string stat = read_task_file(native_id, "stat");
  const auto bracket = stat.rfind(") ");
  if (bracket == std::string::npos || bracket + 2 >= stat.size()) return std::nullopt;
  if (stat[bracket + 2] != 'R') return Life::blocked;
  if (native_id == self().native_id) return Life::running;
  // Runnable: on a processor if its own time goes on. Look for longer than two processors' clocks
  // may differ.
  const std::int64_t before = cpu_ns(native_id);
  const std::int64_t until = Deadline::now_ns() + 20'000;
  while (Deadline::now_ns() < until) {
  }
  return cpu_ns(native_id) > before ? Life::running : Life::ready;
}

std::optional<Switches> switches_of(std::uint32_t native_id) {
  const std::string status = read_task_file(native_id, "status");
  if (status.empty()) return std::nullopt;
  return Switches{number_after(status, "\nvoluntary_ctxt_switches:"),
                  number_after(status, "\nnonvoluntary_ctxt_switches:")};
}

std::optional<Switches> own_switches() noexcept {
#if defined(RUSAGE_THREAD)
  rusage usage{};
  if (::getrusage(RUSAGE_THREAD, &usage) == 0) {
    return Switches{static_cast<std::uint64_t>(usage.ru_nvcsw),
                    static_cast<std::uint64_t>(usage.ru_nivcsw)};
  }
#endif
  return std::nullopt;
}

std::string name_of(std::uint32_t native_id) {
  std::string name = read_task_file(native_id, "comm");
  if (!name.empty() && name.back() == '\n') name.pop_back();
  return name;
}

std::vector<std::uint32_t> all_threads() {
  std::vector<std::uint32_t> ids;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/task"), ::closedir);
  if (folder == nullptr) return ids;
  while (const dirent* entry = ::readdir(folder.get())) {
    std::uint32_t id = 0;
    const char* const name = entry->d_name;
    if (std::from_chars(name, name + std::strlen(name), id).ec == std::errc{}) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::optional<std::uint32_t> peek(const void* address) noexcept {
  // Reading our own memory through the kernel fails where a plain read would crash.
  std::uint32_t value = 0;
  iovec to{&value, sizeof value};
  iovec from{const_cast<void*>(address), sizeof value};
  if (::process_vm_readv(::getpid(), &to, 1, &from, 1, 0) != sizeof value) return std::nullopt;
  return value;
}

std::string peek_text(const char* address) {
  std::string text;
  for (char c = 0; address != nullptr && text.size() < 64; ++address, text += c) {
    iovec to{&c, 1};
    iovec from{const_cast<char*>(address), 1};
    if (::process_vm_readv(::getpid(), &to, 1, &from, 1, 0) != 1 || c == '\0') break;
  }
  return text;
}

std::optional<StackInfo> stack_of(pthread_t thread) {
  pthread_attr_t attributes;
  if (::pthread_getattr_np(thread, &attributes) != 0) return std::nullopt;
  void* base = nullptr;
  std::size_t size = 0;
  ::pthread_attr_getstack(&attributes, &base, &size);
  ::pthread_attr_destroy(&attributes);
  // Stacks grow down and pages stay once touched: the peak is the lowest page that is resident.
  // From the top, because the main thread's stack is not mapped below what it has used.
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::size_t peak = 0;
  for (std::size_t depth = page; depth <= size; depth += page) {
    unsigned char resident = 0;
    if (::mincore(static_cast<char*>(base) + size - depth, page, &resident) != 0) break;
    if ((resident & 1) != 0) {
      peak = depth;
    } else if (depth - peak > 64 * page) {
      break;  // a frame may skip pages, but not that many
    }
  }
  return StackInfo{base, size, peak};
}

void set_name(pthread_t thread, const std::string& name) noexcept {
  constexpr std::size_t kLongest = 15;
  char cut[kLongest + 1] = {};
  std::size_t size = std::min(::strnlen(name.data(), name.size()), kLongest);
  if (size < name.size()) {
    while (size > 0 && (static_cast<unsigned char>(name[size]) & 0xC0) == 0x80) --size;
  }
  std::copy_n(name.data(), size, cut);
  ::pthread_setname_np(thread, cut);
}

}  // namespace thrum::kernel
