// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "watch/local.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "interpose/real.h"
#include "trace/shared.h"
#include "watch/process.h"

namespace thrum::watch {

using namespace trace;

constinit thread_local Local local{};

namespace {

constexpr std::uint64_t kHalf = kRingEvents / 2;

// Wakes the watcher if it sleeps.
void ring_bell() noexcept {
  std::atomic<std::uint32_t>& bell = shared->header.bell;
  // relaxed: who rings for nothing, or once too seldom, is heard a few milliseconds later
  if (bell.load(std::memory_order_relaxed) == 0) return;
  bell.store(0, std::memory_order_relaxed);
  constexpr long kFutexWake = 1;
  const int error = errno;
  interpose::real.syscall(SYS_futex, static_cast<long>(number(&bell)), kFutexWake, 1, 0, 0, 0);
  errno = error;
}

}  // namespace

bool make_room(Local& me, std::uint64_t n) noexcept {
  if (is_unknown_child()) {
    begin_in_child();
    if (me.slot == nullptr) return false;
  }
  const std::uint64_t tail = me.slot->tail.load(std::memory_order_acquire);  // [room]
  const std::uint64_t used = me.head - tail;
  if (used + n > kHalf) ring_bell();
  if (used + n > kRingEvents) {
    // relaxed: a counter of ours alone
    const std::uint64_t lost = me.slot->lost.get();
    me.slot->lost.set(lost + n);
    me.limit = me.head;  // look again next time
    me.passed_over = 64;
    return false;
  }
  me.limit = tail + (used + n <= kHalf ? kHalf : kRingEvents);
  return true;
}

Slot* claim_slot() noexcept {
  Header& header = shared->header;
  // relaxed: a hint
  const std::uint32_t hint = header.slot_hint.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < kSlots; ++i) {
    const std::uint32_t index = (hint + i) % kSlots;
    Slot& slot = shared->slots[index];
    std::uint32_t life = kFree;
    if (slot.life.load(std::memory_order_relaxed) == kFree &&
        slot.life.compare_exchange_strong(life, kTaken, std::memory_order_acquire,  // [life]
                                          std::memory_order_relaxed)) {
      header.slot_hint.store(index + 1, std::memory_order_relaxed);
      // relaxed: it only grows
      std::uint32_t used = header.slots_used.load(std::memory_order_relaxed);
      while (used <= index &&
             !header.slots_used.compare_exchange_weak(used, index + 1, std::memory_order_relaxed,
                                                      std::memory_order_relaxed)) {
      }
      slot.process = this_process();
      slot.creator = local.slot != nullptr ? local.slot->serial : 0;
      slot.created = now() - header.origin;
      slot.started = slot.ended = 0;
      slot.end = End::alive;
      slot.end_detail = 0;
      slot.name[0] = slot.text[0] = '\0';
      slot.pthread.set(0);
      slot.tid.set(0);
      // relaxed: no two are the same
      slot.serial = header.serials.fetch_add(1, std::memory_order_relaxed) + 1;
      slot.life.store(kNew, std::memory_order_release);  // [life]
      return &slot;
    }
  }
  header.threads_lost.fetch_add(1, std::memory_order_relaxed);
  return nullptr;
}

Local* attach(Slot& slot) noexcept {
  Local& me = local;
  me.slot = &slot;
  me.ring = shared->rings[&slot - shared->slots];
  me.head = slot.head.load(std::memory_order_relaxed);  // ours alone, as left by the one before us
  me.limit = 0;
  me.record_all = shared->header.record_all != 0;
  me.stamp = now();
  const int error = errno;
  slot.tid.set(static_cast<std::uint32_t>(gettid()));
  slot.pthread.set(static_cast<std::uint64_t>(pthread_self()));
  char name[16] = {};
  prctl(PR_GET_NAME, name);
  for (int i = 0; i < 16; ++i) slot.name[i] = name[i];
  slot.started = now() - shared->header.origin;
  slot.life.store(kLive, std::memory_order_release);  // [life]
  arm_thread_end();
  me.find_way();
  errno = error;
  return &me;
}

Local* attach() noexcept {
  Local& me = local;
  if (shared == nullptr || me.ended || me.busy) return nullptr;
  const Busy busy(me);
  Slot* const slot = claim_slot();
  if (slot == nullptr) {
    me.ended = true;  // not asked again
    return nullptr;
  }
  return attach(*slot);
}

void end_thread(End how, std::uint64_t detail) noexcept {
  Local& me = local;
  if (me.slot == nullptr) return;
  Slot& slot = *me.slot;
  me.ended = true;
  me.slot = me.quick = nullptr;
  slot.end = how;
  slot.end_detail = detail;
  slot.ended = now() - shared->header.origin;
  slot.waits_for.store(0, std::memory_order_relaxed);
  slot.life.store(kEnded, std::memory_order_release);  // [life]
}

}  // namespace thrum::watch
