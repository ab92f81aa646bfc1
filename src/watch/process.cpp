// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "watch/process.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "interpose/real.h"
#include "trace/shared.h"
#include "watch/local.h"

// The highest address of the main thread's stack; from the dynamic linker.
extern "C" __attribute__((weak)) void* __libc_stack_end;  // NOLINT
// The runtimes of sanitizers, where the program has one.
extern "C" __attribute__((weak)) void __asan_init();  // NOLINT
extern "C" __attribute__((weak)) void __tsan_init();  // NOLINT
extern "C" __attribute__((weak)) void __msan_init();  // NOLINT

namespace thrum::watch {

using namespace trace;

constinit Shared* shared = nullptr;

namespace {

constinit std::uint32_t process_index = 0;
constinit pthread_key_t end_key = 0;
constinit bool has_end_key = false;
constinit std::uint64_t usual_stack = 8 << 20;
// A page that is empty in the child of a fork, however it was forked.
constinit volatile unsigned char* not_forked = nullptr;

// PID:FD:TOKEN, in hexadecimal.
bool parse_where(const char* text, std::uint64_t (&fields)[3]) noexcept {
  for (std::uint64_t& field : fields) {
    char* end = nullptr;
    field = std::strtoull(text, &end, 16);
    if (end == text || (*end != ':' && *end != '\0')) return false;
    text = *end == ':' ? end + 1 : end;
  }
  return true;
}

// No printf: it may allocate.
void append(char*& to, const char* text) noexcept {
  while (*text != '\0') *to++ = *text++;
  *to = '\0';
}
void append(char*& to, std::uint64_t n) noexcept {
  char digits[24];
  int i = 0;
  do {
    digits[i++] = static_cast<char>('0' + n % 10);
    n /= 10;
  } while (n != 0);
  while (i > 0) *to++ = digits[--i];
  *to = '\0';
}

// Maps the watcher's memory, if it is what the environment says.
Shared* map_shared() noexcept {
  const char* const where = std::getenv(kWhere);
  std::uint64_t fields[3];
  if (where == nullptr || !parse_where(where, fields)) return nullptr;
  char path[64];
  char* end = path;
  append(end, "/proc/");
  append(end, fields[0]);
  append(end, "/fd/");
  append(end, fields[1]);
  const int file = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file < 0) return nullptr;
  struct stat status{};
  constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW;
  void* memory = MAP_FAILED;
  if (fstat(file, &status) == 0 && status.st_size == static_cast<off_t>(sizeof(Shared)) &&
      (fcntl(file, F_GET_SEALS) & kSeals) == kSeals) {
    memory =
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
  }
  close(file);
  if (memory == MAP_FAILED) return nullptr;
  auto* const found = static_cast<Shared*>(memory);
  if (found->header.magic != kMagic || found->header.version != kFormatVersion ||
      found->header.token != fields[2]) {
    munmap(memory, sizeof(Shared));
    return nullptr;
  }
  return found;
}

bool claim_process(Shared& memory) noexcept {
  const auto pid = static_cast<std::uint32_t>(getpid());
  if (memory.header.only_pid != 0 && memory.header.only_pid != pid) return false;
  for (std::uint32_t i = 0; i < kProcesses; ++i) {
    Process& process = memory.processes[i];
    std::uint32_t life = kFree;
    if (process.life.compare_exchange_strong(life, kTaken, std::memory_order_acquire,  // [life]
                                             std::memory_order_relaxed)) {
      process_index = i;
      process.pid = pid;
      process.parent_pid = static_cast<std::uint32_t>(getppid());
      process.born = ticks(memory.header.clock) - memory.header.origin;
      process.modules_lost = 0;
      // relaxed: published with its life
      process.modules_bytes.store(0, std::memory_order_relaxed);
      process.serial = static_cast<std::uint32_t>(
          memory.header.serials.fetch_add(1, std::memory_order_relaxed) + 1);
      process.life.store(kLive, std::memory_order_release);  // [life]
      return true;
    }
  }
  memory.header.processes_lost.fetch_add(1, std::memory_order_relaxed);
  return false;
}

// Destructors of thread-specific data run in rounds; ours asks for another until the last, so that
// those of the program are seen.
void at_thread_end(void* rounds) noexcept {
  const std::uint64_t round = number(rounds);
  if (round < PTHREAD_DESTRUCTOR_ITERATIONS &&
      pthread_setspecific(end_key, reinterpret_cast<void*>(round + 1)) == 0) {
    return;
  }
  Local& me = local;
  if (me.slot == nullptr) return;
  // Our first function and pthread_exit say that they were passed; a cancelled thread does not.
  const End unsaid = me.started_here ? End::cancelled : End::returned;
  end_thread(me.slot->end == End::alive ? unsaid : me.slot->end, 0);
}

void take_stack_of_main() noexcept {
  if (&__libc_stack_end == nullptr || getpid() != gettid()) return;
  rlimit limit{};
  const bool known = getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  local.stack_top = number(__libc_stack_end);
  local.stack_low = local.stack_top - (known ? limit.rlim_cur : usual_stack);
}

int write_module(dl_phdr_info* info, std::size_t, void* data) noexcept {
  auto& is_program = *static_cast<bool*>(data);
  Process& process = shared->processes[process_index];
  char link[PATH_MAX];
  const char* path = info->dlpi_name;
  std::size_t length = path != nullptr ? std::strlen(path) : 0;
  ModuleHead head{info->dlpi_addr, ~std::uint64_t{0}, 0, 0, is_program ? 1u : 0u};
  if (is_program) {
    const ssize_t n = readlink("/proc/self/exe", link, sizeof link);
    path = link;
    length = n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  is_program = false;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD) continue;
    const std::uint64_t low = info->dlpi_addr + segment.p_vaddr;
    if (low < head.low) head.low = low;
    if (low + segment.p_memsz > head.high) head.high = low + segment.p_memsz;
  }
  head.path_bytes = static_cast<std::uint32_t>((length + 7) / 8 * 8);
  // relaxed: we alone write it
  const std::uint32_t at = process.modules_bytes.load(std::memory_order_relaxed);
  if (at + sizeof head + head.path_bytes > kModuleBytes) {
    ++process.modules_lost;
    return 0;
  }
  unsigned char* const to = process.modules + at;
  std::memcpy(to, &head, sizeof head);
  std::memset(to + sizeof head, 0, head.path_bytes);
  // Zeros follow. NOLINTNEXTLINE(bugprone-not-null-terminated-result)
  std::memcpy(to + sizeof head, path, length);
  process.modules_bytes.store(at + static_cast<std::uint32_t>(sizeof head) + head.path_bytes,
                              std::memory_order_release);  // [modules]
  return 0;
}

// A sanitizer takes the same calls, and must see them as they are: its process is left alone. No
// dlsym(): one that finds nothing allocates, and it may be an allocator that brought us here.
bool is_sanitized() noexcept {
  return &__asan_init != nullptr || &__tsan_init != nullptr || &__msan_init != nullptr;
}

void begin_main_thread() noexcept {
  Slot* const slot = claim_slot();
  if (slot == nullptr) {
    local.ended = true;
    return;
  }
  if (&__libc_stack_end != nullptr && local.stack_top == 0) take_stack_of_main();
  attach(*slot);
}

__attribute__((constructor)) void constructor() { begin_process(); }

}  // namespace

std::uint32_t this_process() noexcept { return process_index; }
std::uint64_t usual_stack_bytes() noexcept { return usual_stack; }

bool is_unknown_child() noexcept { return not_forked != nullptr && *not_forked == 0; }

void begin_process() noexcept {
  static constinit bool begun = false;
  interpose::resolve();
  if (begun) return;  // before there is a second thread
  begun = true;
  const int error = errno;
  Shared* const found = is_sanitized() ? nullptr : map_shared();
  if (found != nullptr && claim_process(*found)) {
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) == 0) {
      std::size_t size = 0;
      if (pthread_attr_getstacksize(&attributes, &size) == 0) usual_stack = size;
      pthread_attr_destroy(&attributes);
    }
    has_end_key = pthread_key_create(&end_key, at_thread_end) == 0;
    void* const page =
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED && madvise(page, 4096, MADV_WIPEONFORK) == 0) {
      not_forked = static_cast<volatile unsigned char*>(page);
      *not_forked = 1;
    }
    pthread_atfork(nullptr, nullptr, [] {
      if (is_unknown_child()) begin_in_child();
    });
    shared = found;
    write_modules();
    begin_main_thread();
    watch_fatal_signals();
  } else if (found != nullptr) {
    munmap(found, sizeof(Shared));
  }
  errno = error;
}

void begin_in_child() noexcept {
  if (not_forked != nullptr) *not_forked = 1;
  const std::uint64_t top = local.stack_top;
  const std::uint64_t low = local.stack_low;
  local = {};
  local.stack_top = top;
  local.stack_low = low;
  if (shared == nullptr) return;
  if (!claim_process(*shared)) {
    local.ended = true;
    return;
  }
  write_modules();
  begin_main_thread();
}

void arm_thread_end() noexcept {
  if (has_end_key) pthread_setspecific(end_key, reinterpret_cast<void*>(std::uintptr_t{1}));
}

void write_modules() noexcept {
  bool is_program = true;
  dl_iterate_phdr(write_module, &is_program);
}

}  // namespace thrum::watch
