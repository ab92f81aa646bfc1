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

// Of glibc 2.35 and later: where the kernel keeps a thread's restartable sequences.
// NOLINTBEGIN(readability-identifier-naming): glibc's names
extern "C" __attribute__((weak)) const std::ptrdiff_t __rseq_offset;
extern "C" __attribute__((weak)) const unsigned int __rseq_size;
// NOLINTEND(readability-identifier-naming)

namespace thrum::check {
namespace {

constexpr std::uintptr_t kPage = 4096;
constexpr std::uint32_t kMostPages = 1U << 16;
constexpr std::uint32_t kMostAreas = 1024;
constexpr std::uint32_t kPiece = 256;  // a page is compared and copied in pieces
// The kernel writes to a thread's rseq whenever it likes, and ends the process if it cannot. That
// of libc is given up, or a page would be compared after each execution that nothing else writes
// to. Where libc has none the program may have its own: then memory is never protected that is
// within so much of where the thread pointer points.
constexpr std::uintptr_t kAroundThreadPointer = 2 * kPage;
constexpr long kRseqBytes = 32, kUnregister = 1, kRseqSignature = 0x53053053;

// Memory of the program. A thread's own, `owner`, is as it was if there was no such thread.
struct Area {
  char* begin;
  char* end;
  bool is_executable;
  std::uint8_t owner;  // 0: anybody's
};

// A page that is written, or the part of one that an area begins or ends with.
struct Page {
  char* at;
  const char* copy;
  bool* differed;  // in any execution since the snapshot
  std::uint16_t bytes;
  std::uint16_t zeros;  // the pieces that are nothing but zeros, by bits
  std::uint8_t owner;
};
static_assert(kPage / kPiece <= 16);

// Outlives the processes that learned it.
struct Learned {
  std::uint32_t count;
  std::uint32_t executions;  // since the last snapshot
  std::uintptr_t page[kMostPages];
  bool differed[kMostPages];
};

struct State {
  Area area[kMostAreas];
  std::uint32_t areas;
  Page* page;
  std::uint32_t pages;
  char* copies;
  Learned* learned;
  char* heap_end;  // of the kernel's
  bool is_taken;
  bool is_wide;  // the processor has AVX2
  bool is_without_rseq;
  char zeros[kPiece];
};
constinit State state{};

[[noreturn]] void give_up(const char* why) noexcept {
  copy_text(engine.shared->refused_reason, sizeof engine.shared->refused_reason, why);
  finish(Outcome::kernel_state, why);
}

void add_area(const Area& area) noexcept {
  if (area.begin >= area.end) return;
  if (state.areas == kMostAreas) give_up("its memory is in too many pieces to be put back");
  state.area[state.areas++] = area;
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
  add_area({begin, end, is_executable, 0});
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

// Areas begin and end with whole pieces, where they can: those are compared fastest.
char* piece_of(char* at) noexcept { return at - reinterpret_cast<std::uintptr_t>(at) % kPiece; }

void find_areas(const void* stack_pointer) noexcept {
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
        begin = piece_of(const_cast<char*>(static_cast<const char*>(stack_pointer)) - 256);
      } else if (ends_with(line, length, "[heap]") && until > heap_used) {
        until = piece_of(heap_used + kPiece - 1);
      }
      add_but_own(begin, until, is_executable);
    }
    line = *end != 0 ? end + 1 : end;
  }
  for (std::uint32_t i = 1; i <= donors(); ++i) {
    const Range range = donor_state(i);
    add_area({range.begin, range.end, false, static_cast<std::uint8_t>(i)});
  }
}

void copy(char* to, const char* from, std::size_t bytes) noexcept {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes)::"memory");
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
  for (; i < bytes / 8; ++i) difference |= a[i] ^ b[i];
  for (std::uint32_t at = i * 8; at < bytes; ++at) {
    difference |= static_cast<std::uint64_t>(one[at] ^ other[at]);
  }
  return difference != 0;
}

// It is about to be written.
void remember(char* at, std::uintptr_t bytes, std::uint8_t owner, bool* differed) noexcept {
  if (state.pages == kMostPages) give_up("it writes to more memory than can be put back");
  char* const to = state.copies + state.pages * kPage;
  copy(to, at, bytes);
  std::uint32_t zeros = 0;
  for (std::uint32_t i = 0; i < bytes / kPiece; ++i) {
    if (!differs(to + i * kPiece, state.zeros, kPiece)) zeros |= 1U << i;
  }
  state.page[state.pages++] = {
      at,   to, differed, static_cast<std::uint16_t>(bytes), static_cast<std::uint16_t>(zeros),
      owner};
}

void remember_always(std::uintptr_t begin, std::uintptr_t end, std::uint8_t owner) noexcept {
  static bool unused;
  for (; begin < end; begin += kPage) {
    remember(reinterpret_cast<char*>(begin), end - begin < kPage ? end - begin : kPage, owner,
             &unused);
  }
}

// Returns the area that the page is in as a whole; null if there is none.
const Area* area_of(std::uintptr_t page) noexcept {
  for (std::uint32_t i = 0; i < state.areas; ++i) {
    const Area& area = state.area[i];
    if (reinterpret_cast<std::uintptr_t>(area.begin) <= page &&
        reinterpret_cast<std::uintptr_t>(area.end) >= page + kPage) {
      return &area;
    }
  }
  return nullptr;
}

bool open_page(std::uintptr_t page, bool* differed) noexcept {
  const Area* const area = area_of(page);
  if (area == nullptr) return false;
  remember(reinterpret_cast<char*>(page), kPage, area->owner, differed);
  const int protection = PROT_READ | PROT_WRITE | (area->is_executable ? PROT_EXEC : 0);
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

// What the kernel may write to at any time.
void find_open(std::uintptr_t& begin, std::uintptr_t& end) noexcept {
  const auto pointer = static_cast<std::uintptr_t>(engine.thread[0].handle) & ~(kPage - 1);
  begin = pointer - kAroundThreadPointer;
  end = state.is_without_rseq ? begin : pointer + kAroundThreadPointer + kPage;
}

// In this process and all that it forks.
void give_up_rseq() noexcept {
  if (&__rseq_offset == nullptr || __rseq_size == 0) return;
  const long at = static_cast<long>(engine.thread[0].handle) + __rseq_offset;
  state.is_without_rseq = raw_syscall(SYS_rseq, at, kRseqBytes, kUnregister, kRseqSignature) == 0;
}

void protect(const Area& area) noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(area.begin);
  const auto end = reinterpret_cast<std::uintptr_t>(area.end);
  const std::uintptr_t first = (begin + kPage - 1) & ~(kPage - 1);
  const std::uintptr_t last = end & ~(kPage - 1);
  if (first > last) return remember_always(begin, end, area.owner);  // inside of one page
  remember_always(begin, first, area.owner);
  remember_always(last, end, area.owner);
  std::uintptr_t open = 0;
  std::uintptr_t open_end = 0;
  find_open(open, open_end);
  if (open < first) open = first;
  if (open_end > last) open_end = last;
  if (open < open_end) {
    remember_always(open, open_end, area.owner);
    protect_pages(first, open, area.is_executable);
    protect_pages(open_end, last, area.is_executable);
  } else {
    protect_pages(first, last, area.is_executable);
  }
}

bool* learn(std::uintptr_t page) noexcept {
  static bool unused;
  Learned& learned = *state.learned;
  if (learned.count == kMostPages) return &unused;
  learned.page[learned.count] = page;
  return &learned.differed[learned.count++];
}

// What was written once, when the program did something for the first time, may never be again.
void forget_unused() noexcept {
  constexpr std::uint32_t kEnough = 64;  // executions
  Learned& learned = *state.learned;
  if (learned.executions < kEnough) return;
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < learned.count; ++i) {
    if (learned.differed[i]) learned.page[kept++] = learned.page[i];
    learned.differed[i] = false;
  }
  learned.count = kept;
  learned.executions = 0;
}

bool put_back(const Page& page, std::uint32_t at) noexcept {
  bool is_other = false;
  for (; at < page.bytes; at += kPiece) {
    const std::uint32_t left = page.bytes - at;
    const std::uint32_t bytes = left < kPiece ? left : kPiece;
    if (!differs(page.at + at, page.copy + at, bytes)) continue;
    copy(page.at + at, page.copy + at, bytes);
    is_other = true;
  }
  return is_other;
}

// The same for all whole pieces, in half of the time: it is much of what an execution takes.
__attribute__((target("avx2"))) bool put_back_wide(const Page& page) noexcept {
  constexpr std::uint32_t kWide = sizeof(__m256i);
  bool is_other = false;
  std::uint32_t at = 0;
  for (; at + kPiece <= page.bytes; at += kPiece) {
    __m256i difference = _mm256_setzero_si256();
    if ((page.zeros >> at / kPiece & 1) != 0) {  // the copy need not be read
      for (std::uint32_t i = at; i < at + kPiece; i += kWide) {
        const __m256i now = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(page.at + i));
        difference = _mm256_or_si256(difference, now);
      }
    } else {
      for (std::uint32_t i = at; i < at + kPiece; i += kWide) {
        const __m256i now = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(page.at + i));
        const __m256i was = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(page.copy + i));
        difference = _mm256_or_si256(difference, _mm256_xor_si256(now, was));
      }
    }
    if (_mm256_testz_si256(difference, difference) != 0) continue;
    is_other = true;
    for (std::uint32_t i = at; i < at + kPiece; i += kWide) {
      const __m256i was = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(page.copy + i));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(page.at + i), was);
    }
  }
  return put_back(page, at) || is_other;
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
  give_up_rseq();
}

void take_snapshot(const void* stack_pointer) noexcept {
  if (!are_crashes_watched()) give_up("it handles faults itself");
  find_areas(stack_pointer);
  state.is_taken = true;
  for (std::uint32_t i = 0; i < state.areas; ++i) protect(state.area[i]);
  forget_unused();
  Learned& learned = *state.learned;
  const std::uint32_t known = learned.count;
  for (std::uint32_t i = 0; i < known; ++i) open_page(learned.page[i], &learned.differed[i]);
}

void put_back() noexcept {
  if (static_cast<char*>(sbrk(0)) != state.heap_end) {
    // What it is given beyond is zero the next time too: calloc() relies on it.
    raw_syscall(SYS_brk, as_long(state.heap_end));
  }
  ++state.learned->executions;
  for (std::uint32_t i = 0; i < state.pages; ++i) {
    const Page& page = state.page[i];
    if (page.owner >= engine.run.threads) continue;
    if (state.is_wide ? put_back_wide(page) : put_back(page, 0)) *page.differed = true;
  }
}

bool snapshot_fault(const void* address, bool is_write) noexcept {
  if (!state.is_taken || !is_write) return false;
  const std::uintptr_t page = reinterpret_cast<std::uintptr_t>(address) & ~(kPage - 1);
  for (std::uint32_t i = 0; i < state.pages; ++i) {
    if (reinterpret_cast<std::uintptr_t>(state.page[i].at) == page) return false;  // another reason
  }
  return area_of(page) != nullptr && open_page(page, learn(page));
}

}  // namespace thrum::check
