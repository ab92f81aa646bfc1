// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Snapshots of stacks: registers and bytes as they are, to be unwound by the watcher. No unwinder
// runs in the target.
#include <cstring>

#include "watch/local.h"

namespace thrum::watch {

using namespace trace;

#if defined(__x86_64__)

namespace {

constexpr std::uint64_t kMixer = 0x9E3779B97F4A7C15u;

// noinline: the registers are those of this frame, whose unwind information is in this library.
__attribute__((noinline)) void snapshot(Local& me, std::uint16_t id, std::uint64_t site) noexcept {
  Registers registers{};
  __asm__ volatile("lea 0(%%rip), %0" : "=r"(registers.pc));
  __asm__ volatile("mov %%rsp, %0" : "=r"(registers.sp));
  __asm__ volatile("mov %%rbp, %0" : "=r"(registers.bp));
  __asm__ volatile("mov %%rbx, %0" : "=r"(registers.bx));
  __asm__ volatile("mov %%r12, %0" : "=r"(registers.r12));
  __asm__ volatile("mov %%r13, %0" : "=r"(registers.r13));
  __asm__ volatile("mov %%r14, %0" : "=r"(registers.r14));
  __asm__ volatile("mov %%r15, %0" : "=r"(registers.r15));
  std::uint64_t bytes = me.stack_top - registers.sp;
  if (bytes > kMaxStackBytes) bytes = kMaxStackBytes;
  bytes = bytes / sizeof(Event) * sizeof(Event);
  const std::uint64_t events = 3 + bytes / sizeof(Event);

  const Busy busy(me);
  if (!busy || (me.head + events > me.limit && !make_room(me, events))) return;
  put(me, {when_type(now() - shared->header.origin, Type::stack), 0, pack(site, id), bytes});
  Event raw;
  for (std::size_t i = 0; i < 2; ++i) {
    std::memcpy(&raw, reinterpret_cast<const unsigned char*>(&registers) + i * sizeof raw,
                sizeof raw);
    put(me, raw);
  }
  for (std::uint64_t at = 0; at < bytes; at += sizeof raw) {
    std::memcpy(&raw, reinterpret_cast<const void*>(registers.sp + at), sizeof raw);
    put(me, raw);
  }
  publish(me);
}

}  // namespace

std::uint16_t stack_of(Local& me, std::uint64_t site, std::uint64_t object_kind) noexcept {
  const std::uint64_t sp = number(__builtin_frame_address(0));
  // On another stack, a coroutine's or a signal's, nobody knows where it ends.
  if (sp >= me.stack_top || sp < me.stack_low) return 0;
  // A library's waits all come from one place of its: what is waited for tells them apart, as long
  // as a thread does not wait for ever new objects.
  constexpr std::uint16_t kDistinct = 256;
  const std::uint64_t what = (object_kind >> (kAddressBits + 8) & kOurs) == 0 ? 0
                             : me.last_stack < kDistinct                      ? object_kind
                                                         : object_kind >> kAddressBits;
  const std::uint64_t key = ((site + what * kMixer) ^ sp * kMixer) | 1;
  const std::uint32_t row = static_cast<std::uint32_t>((key * kMixer) >> 58);
  std::uint64_t(&written)[Local::kStacks] = me.stacks[row];
  std::uint16_t(&ids)[Local::kStacks] = me.stack_ids[row];
  for (std::uint32_t i = 0; i < Local::kStacks; ++i) {
    if (written[i] == key) return ids[i];
  }
  if (me.last_stack == 0xffff) return 0;
  for (std::uint32_t i = Local::kStacks - 1; i > 0; --i) {
    written[i] = written[i - 1];
    ids[i] = ids[i - 1];
  }
  written[0] = key;
  ids[0] = ++me.last_stack;
  snapshot(me, ids[0], site);
  return ids[0];
}

#else

std::uint16_t stack_of(Local&, std::uint64_t, std::uint64_t) noexcept { return 0; }

#endif

}  // namespace thrum::watch
