// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "check/repeat.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "check/engine.h"
#include "check/fiber.h"
#include "check/objects.h"
#include "check/order.h"
#include "check/strategies/strategy.h"

namespace thrum::check {
namespace {

// Memory is compared and put back in blocks. Which ones a program writes is learned: they are few
// and the same each time. All are looked at in the first executions, and in one of kFullEvery.
constexpr std::size_t kBlock = 1024;
constexpr std::uint32_t kFullAtFirst = 32;
constexpr std::uint32_t kFullEvery = 256;
constexpr std::uint32_t kMostBlocks = 1U << 18;
constexpr std::uint32_t kMostRanges = 512;
constexpr std::size_t kLoopStack = 256U << 10;

struct Block {
  char* at;
  const char* copy;
  std::uint32_t bytes;
};

// Outlives the process that learned it.
struct Learned {
  std::uint32_t count;
  std::uint32_t block[kMostBlocks];
  bool is_hot[kMostBlocks];
};

struct State {
  Range range[kMostRanges];
  std::uint32_t ranges;
  Block* block;
  std::uint32_t blocks;
  Learned* learned;
  char* loop_stack;
  void* loop;  // the context of the loop
  std::uint64_t number, most;
  std::uint32_t restored;
  Execution run;
  Thread main;
};
constinit State state{};
constinit std::uint32_t chunk = 64;
constexpr std::uint32_t kLargestChunk = 4096;

void add_range(char* begin, char* end) noexcept {
  if (begin < end && state.ranges < kMostRanges) state.range[state.ranges++] = {begin, end};
}

// All of [begin, end) but what is the runtime's own.
void add_but_own(char* begin, char* end) noexcept {
  for (std::uint32_t i = 0; i < owned_count(); ++i) {
    const Owned own = owned(i);
    if (own.end <= begin || own.begin >= end) continue;
    if (own.begin > begin) add_but_own(begin, own.begin);
    if (own.end < end) add_but_own(own.end, end);
    return;
  }
  add_range(begin, end);
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

void find_ranges() noexcept {
  static char text[256U << 10];
  const long fd = raw_syscall(SYS_openat, AT_FDCWD, as_long("/proc/self/maps"), O_RDONLY);
  std::size_t size = 0;
  for (;;) {
    const long n =
        raw_syscall(SYS_read, fd, as_long(text + size), static_cast<long>(sizeof text - 1 - size));
    if (n <= 0) break;
    size += static_cast<std::size_t>(n);
  }
  raw_syscall(SYS_close, fd);
  text[size] = 0;
  char* const heap_end = static_cast<char*>(sbrk(0)) - mallinfo2().keepcost + 64;
  for (const char* line = text; *line != 0;) {
    const char* end = line;
    while (*end != 0 && *end != '\n') ++end;
    const char* at = line;
    auto* begin = reinterpret_cast<char*>(hex(at));
    ++at;
    auto* until = reinterpret_cast<char*>(hex(at));
    const bool is_private_data = at[1] == 'r' && at[2] == 'w' && at[4] == 'p';
    const auto length = static_cast<std::size_t>(end - line);
    if (is_private_data) {
      if (ends_with(line, length, "[stack]")) {
        begin = static_cast<char*>(engine.thread[0].stack_pointer) - 256;
      } else if (ends_with(line, length, "[heap]") && until > heap_end) {
        until = heap_end;
      }
      add_but_own(begin, until);
    }
    line = *end != 0 ? end + 1 : end;
  }
  for (std::uint32_t i = 1; i <= donors(); ++i) {
    const Range range = donor_state(i);
    add_range(range.begin, range.end);
  }
}

void copy(char* to, const char* from, std::size_t bytes) noexcept {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes)::"memory");
}

void take_snapshot() noexcept {
  find_ranges();
  std::size_t total = 0;
  for (std::uint32_t i = 0; i < state.ranges; ++i) {
    total += static_cast<std::size_t>(state.range[i].end - state.range[i].begin);
  }
  auto* to = static_cast<char*>(map_memory(total + kBlock, "a copy of the program's memory"));
  for (std::uint32_t i = 0; i < state.ranges; ++i) {
    const auto [begin, end] = state.range[i];
    copy(to, begin, static_cast<std::size_t>(end - begin));
    for (char* at = begin; at < end; at += kBlock) {
      const auto left = static_cast<std::size_t>(end - at);
      if (state.blocks == kMostBlocks) {
        finish(Outcome::kernel_state, "its memory is too large to be put back");
      }
      state.block[state.blocks++] = {at, to + (at - begin),
                                     static_cast<std::uint32_t>(left < kBlock ? left : kBlock)};
    }
    to += end - begin;
  }
}

bool differs(const Block& block) noexcept {
  using Word [[gnu::may_alias, gnu::aligned(1)]] = std::uint64_t;
  const auto* const a = reinterpret_cast<const Word*>(block.at);
  const auto* const b = reinterpret_cast<const Word*>(block.copy);
  std::uint64_t difference = 0;
  std::uint32_t i = 0;
  for (; i + 8 <= block.bytes / 8; i += 8) {
    for (std::uint32_t k = 0; k < 8; ++k) difference |= a[i + k] ^ b[i + k];
  }
  for (std::uint32_t at = i * 8; at < block.bytes; ++at) {
    difference |= static_cast<std::uint64_t>(block.at[at] ^ block.copy[at]);
  }
  return difference != 0;
}

void put_back(std::uint32_t index) noexcept {
  const Block& block = state.block[index];
  if (!differs(block)) return;
  copy(block.at, block.copy, block.bytes);
  Learned& learned = *state.learned;
  if (learned.is_hot[index]) return;
  learned.is_hot[index] = true;
  learned.block[learned.count++] = index;
}

void restore() noexcept {
  const std::uint32_t n = state.restored++;
  if (n >= kFullAtFirst && n % kFullEvery != 0) {
    for (std::uint32_t i = 0; i < state.learned->count; ++i) put_back(state.learned->block[i]);
    return;
  }
  for (std::uint32_t i = 0; i < state.blocks; ++i) put_back(i);
}

void loop(void*) {
  Shared& shared = *engine.shared;
  take_snapshot();
  state.run = engine.run;
  state.main = engine.thread[0];
  if (state.most > chunk) state.most = chunk;
  for (std::uint64_t done = 0; done < state.most; ++done) {
    forget_objects();
    engine.run = state.run;
    engine.thread[0] = state.main;
    order_begin();
    shared.checked = {state.number + done * shared.job.stride, 0, shared.points, shared.estimates};
    begin_execution(shared.checked.number);
    engine.on = engine.started = engine.fast = true;
    switch_context(&state.loop, state.main.stack_pointer, state.main.thread_pointer);
    engine.on = false;
    shared.checked.hash = shared.result.hash;
    account();
    shared.progress.fetch_add(1, std::memory_order_relaxed);
    if (shared.job.strategy == StrategyId::dfs && !advance_dfs()) {
      shared.exhausted = true;
      break;
    }
    if (shared.stop.load(std::memory_order_relaxed) != 0) break;
    restore();
  }
  raw_syscall(SYS_exit_group, 0);
}

}  // namespace

void prepare_repeating() noexcept {
  state.block = static_cast<Block*>(map_memory(sizeof(Block) * kMostBlocks, "the list of blocks"));
  state.loop_stack = static_cast<char*>(map_memory(kLoopStack, "a stack"));
  void* const learned = mmap(nullptr, sizeof(Learned), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (learned == MAP_FAILED) die("no memory for what is learned");
  state.learned = static_cast<Learned*>(learned);
}

bool fork_repeater(std::uint64_t number, std::uint64_t most, int& status) noexcept {
  Shared& shared = *engine.shared;
  shared.result = {};
  ++shared.counts.forks;
  state.number = number;
  state.most = most;
  const pid_t child = _Fork();
  if (child < 0) die("cannot fork");
  if (child == 0) {
    raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
    void* const context = make_context(state.loop_stack + kLoopStack, loop, nullptr);
    switch_context(&engine.thread[0].stack_pointer, context, 0);
    return true;  // each time
  }
  shared.worker.store(child, std::memory_order_relaxed);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  shared.worker.store(0, std::memory_order_relaxed);
  if (chunk < kLargestChunk) chunk *= 4;
  return false;
}

void repeat_again() noexcept {
  void* forgotten = nullptr;
  switch_context(&forgotten, state.loop, engine.thread[0].thread_pointer);
  __builtin_unreachable();
}

}  // namespace thrum::check
