// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "check/snapshot.h"

#include <fcntl.h>
#include <immintrin.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check/engine.h"
#include "check/fiber.h"
#include "check/server.h"

namespace thrum::check {
namespace {

constexpr std::uintptr_t kPage = 4096;
constexpr std::uint32_t kMostPages = 1U << 16;
constexpr std::uint32_t kMostRanges = 1024;
constexpr std::uint32_t kPiece = 512;  // a page is compared and copied in pieces
// So far around where the thread pointer points, memory is never protected: there the kernel writes
// whenever it likes (rseq), and ends the process if it cannot.
constexpr std::uintptr_t kAroundThreadPointer = 2 * kPage;

// A page that is written, or the part of one that a range begins or ends with.
struct Page {
  char* at;
  const char* copy;
  std::uint32_t bytes;
};

// Outlives the processes that learned it.
struct Learned {
  std::uint32_t count;
  std::uintptr_t page[kMostPages];
};

struct State {
  Range range[kMostRanges];
  bool is_executable[kMostRanges];
  std::uint32_t ranges;
  Page* page;
  std::uint32_t pages;
  char* copies;
  Learned* learned;
  char* heap_end;  // of the kernel's
  bool is_taken;
  bool is_wide;  // the processor has AVX2
};
constinit State state{};

[[noreturn]] void give_up(const char* why) noexcept {
  copy_text(engine.shared->refused_reason, sizeof engine.shared->refused_reason, why);
  finish(Outcome::kernel_state, why);
}

void add_range(char* begin, char* end, bool is_executable) noexcept {
  if (begin >= end) return;
  if (state.ranges == kMostRanges) give_up("its memory is in too many pieces to be put back");
  state.is_executable[state.ranges] = is_executable;
  state.range[state.ranges++] = {begin, end};
}

// All of [begin, end) but what is the runtime's own.
void add_but_own(char* begin, char* end, bool is_executable) noexcept {
  for (std::uint32_t i = 0; i < owned_count(); ++i) {
    const Owned own = owned(i);
    if (own.end <= begin || own.begin >= end) continue;
    if (own.begin > begin) add_but_own(begin, own.begin, is_executable);
    if (own.end < end) add_but_own(own.end, end, is_executable);
    return;
  }
  add_range(begin, end, is_executable);
}

bool ends_with(const char* text, std::size_t length, const char* with) noexcept {
  std::size_t n = 0;
  while (with[n] != 0) ++n;
  if (length < n) return false;
  for (std::size_t i = 0; i < n; ++i) {
    if (text[length - n + i] != with[i]) return false;
  }
  return true;
}

std::uint64_t hex(const char*& at) noexcept {
  std::uint64_t value = 0;
  for (;; ++at) {
    if (*at >= '0' && *at <= '9') {
      value = value * 16 + static_cast<std::uint64_t>(*at - '0');
    } else if (*at >= 'a' && *at <= 'f') {
      value = value * 16 + static_cast<std::uint64_t>(*at - 'a' + 10);
    } else {
      return value;
    }
  }
}

void find_ranges(const void* stack_pointer) noexcept {
  static char text[512U << 10];
  const long fd = raw_syscall(SYS_openat, AT_FDCWD, as_long("/proc/self/maps"), O_RDONLY);
  std::size_t size = 0;
  for (;;) {
    const long n =
        raw_syscall(SYS_read, fd, as_long(text + size), static_cast<long>(sizeof text - 1 - size));
    if (n <= 0) break;
    size += static_cast<std::size_t>(n);
  }
  raw_syscall(SYS_close, fd);
  if (size == sizeof text - 1) give_up("its memory is in too many pieces to be put back");
  text[size] = 0;
  state.heap_end = static_cast<char*>(sbrk(0));
  char* const heap_used = state.heap_end - mallinfo2().keepcost + 64;
  for (const char* line = text; *line != 0;) {
    const char* end = line;
    while (*end != 0 && *end != '\n') ++end;
    const char* at = line;
    auto* begin = reinterpret_cast<char*>(hex(at));
    ++at;
    auto* until = reinterpret_cast<char*>(hex(at));
    const bool is_private_data = at[1] == 'r' && at[2] == 'w' && at[4] == 'p';
    const bool is_executable = at[3] == 'x';
    const auto length = static_cast<std::size_t>(end - line);
    if (is_private_data) {
      if (ends_with(line, length, "[stack]")) {
        begin = const_cast<char*>(static_cast<const char*>(stack_pointer)) - 256;
      } else if (ends_with(line, length, "[heap]") && until > heap_used) {
        until = heap_used;
      }
      add_but_own(begin, until, is_executable);
    }
    line = *end != 0 ? end + 1 : end;
  }
  for (std::uint32_t i = 1; i <= donors(); ++i) {
    const Range range = donor_state(i);
    add_range(range.begin, range.end, false);
  }
}

void copy(char* to, const char* from, std::size_t bytes) noexcept {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes)::"memory");
}

// It is about to be written.
void remember(char* at, std::uint32_t bytes) noexcept {
  if (state.pages == kMostPages) give_up("it writes to more memory than can be put back");
  char* const to = state.copies + state.pages * kPage;
  copy(to, at, bytes);
  state.page[state.pages++] = {at, to, bytes};
}

// Returns the range that the page is in as a whole; null if there is none.
const Range* range_of(std::uintptr_t page, int& protection) noexcept {
  for (std::uint32_t i = 0; i < state.ranges; ++i) {
    const Range& range = state.range[i];
    if (reinterpret_cast<std::uintptr_t>(range.begin) > page ||
        reinterpret_cast<std::uintptr_t>(range.end) < page + kPage) {
      continue;
    }
    protection = PROT_READ | PROT_WRITE | (state.is_executable[i] ? PROT_EXEC : 0);
    return &range;
  }
  return nullptr;
}

bool open_page(std::uintptr_t page) noexcept {
  int protection = 0;
  if (range_of(page, protection) == nullptr) return false;
  remember(reinterpret_cast<char*>(page), kPage);
  return raw_syscall(SYS_mprotect, static_cast<long>(page), kPage, protection) == 0;
}

void protect_pages(std::uintptr_t first, std::uintptr_t last, bool is_executable) noexcept {
  if (first == last) return;
  const int protection = PROT_READ | (is_executable ? PROT_EXEC : 0);
  if (raw_syscall(SYS_mprotect, static_cast<long>(first), static_cast<long>(last - first),
                  protection) != 0) {
    give_up("its memory cannot be protected from being written");
  }
}

void protect(const Range& range, bool is_executable) noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(range.begin);
  const auto end = reinterpret_cast<std::uintptr_t>(range.end);
  const std::uintptr_t first = (begin + kPage - 1) & ~(kPage - 1);
  const std::uintptr_t last = end & ~(kPage - 1);
  if (first > last) {  // inside of one page
    remember(range.begin, static_cast<std::uint32_t>(end - begin));
    return;
  }
  if (begin < first) remember(range.begin, static_cast<std::uint32_t>(first - begin));
  if (last < end) {
    remember(reinterpret_cast<char*>(last), static_cast<std::uint32_t>(end - last));
  }
  const std::uintptr_t here = static_cast<std::uintptr_t>(engine.thread[0].handle) & ~(kPage - 1);
  std::uintptr_t open = here - kAroundThreadPointer;
  std::uintptr_t open_end = here + kAroundThreadPointer + kPage;
  if (open < first) open = first;
  if (open_end > last) open_end = last;
  if (open < open_end) {
    for (std::uintptr_t page = open; page < open_end; page += kPage) {
      remember(reinterpret_cast<char*>(page), kPage);
    }
    protect_pages(first, open, is_executable);
    protect_pages(open_end, last, is_executable);
  } else {
    protect_pages(first, last, is_executable);
  }
}

void learn(std::uintptr_t page) noexcept {
  Learned& learned = *state.learned;
  if (learned.count < kMostPages) learned.page[learned.count++] = page;
}

bool differs(const char* one, const char* other, std::uint32_t bytes) noexcept {
  using Word [[gnu::may_alias, gnu::aligned(1)]] = std::uint64_t;
  const auto* const a = reinterpret_cast<const Word*>(one);
  const auto* const b = reinterpret_cast<const Word*>(other);
  std::uint64_t difference = 0;
  std::uint32_t i = 0;
  for (; i + 8 <= bytes / 8; i += 8) {
    for (std::uint32_t k = 0; k < 8; ++k) difference |= a[i + k] ^ b[i + k];
  }
  for (std::uint32_t at = i * 8; at < bytes; ++at) {
    difference |= static_cast<std::uint64_t>(one[at] ^ other[at]);
  }
  return difference != 0;
}

void put_back(const Page& page) noexcept {
  for (std::uint32_t at = 0; at < page.bytes; at += kPiece) {
    const std::uint32_t left = page.bytes - at;
    const std::uint32_t bytes = left < kPiece ? left : kPiece;
    if (differs(page.at + at, page.copy + at, bytes)) copy(page.at + at, page.copy + at, bytes);
  }
}

// The same for a whole page, in half of the time: it is a third of what an execution takes.
__attribute__((target("avx2"))) void put_back_wide(const Page& page) noexcept {
  constexpr std::uint32_t kWide = sizeof(__m256i);
  for (std::uint32_t at = 0; at < kPage; at += kPiece) {
    __m256i difference = _mm256_setzero_si256();
    for (std::uint32_t i = at; i < at + kPiece; i += kWide) {
      const __m256i now = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(page.at + i));
      const __m256i was = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(page.copy + i));
      difference = _mm256_or_si256(difference, _mm256_xor_si256(now, was));
    }
    if (_mm256_testz_si256(difference, difference) != 0) continue;
    for (std::uint32_t i = at; i < at + kPiece; i += kWide) {
      const __m256i was = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(page.copy + i));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(page.at + i), was);
    }
  }
}

}  // namespace

void prepare_snapshots() noexcept {
  __builtin_cpu_init();
  state.is_wide = __builtin_cpu_supports("avx2") != 0;
  state.page = static_cast<Page*>(map_memory(sizeof(Page) * kMostPages, "the list of pages"));
  state.copies = static_cast<char*>(map_memory(kPage * kMostPages, "copies of pages"));
  void* const learned = mmap(nullptr, sizeof(Learned), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (learned == MAP_FAILED) die("no memory for what is learned");
  state.learned = static_cast<Learned*>(learned);
}

void take_snapshot(const void* stack_pointer) noexcept {
  if (!are_crashes_watched()) give_up("it handles faults itself");
  find_ranges(stack_pointer);
  state.is_taken = true;
  for (std::uint32_t i = 0; i < state.ranges; ++i) protect(state.range[i], state.is_executable[i]);
  const std::uint32_t known = state.learned->count;
  for (std::uint32_t i = 0; i < known; ++i) open_page(state.learned->page[i]);
}

void put_back() noexcept {
  if (static_cast<char*>(sbrk(0)) != state.heap_end) {
    // What it is given beyond is zero the next time too: calloc() relies on it.
    raw_syscall(SYS_brk, as_long(state.heap_end));
  }
  for (std::uint32_t i = 0; i < state.pages; ++i) {
    const Page& page = state.page[i];
    if (state.is_wide && page.bytes == kPage) {
      put_back_wide(page);
    } else {
      put_back(page);
    }
  }
}

bool snapshot_fault(const void* address, bool is_write) noexcept {
  if (!state.is_taken || !is_write) return false;
  const std::uintptr_t page = reinterpret_cast<std::uintptr_t>(address) & ~(kPage - 1);
  for (std::uint32_t i = 0; i < state.pages; ++i) {
    if (reinterpret_cast<std::uintptr_t>(state.page[i].at) == page) return false;  // another reason
  }
  if (!open_page(page)) return false;
  learn(page);
  return true;
}

}  // namespace thrum::check
