// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "watch/hooks.h"

#include "trace/shared.h"

namespace thrum::watch {

using namespace trace;

namespace {

constexpr std::uint64_t kMixer = 0x9E3779B97F4A7C15u;

}  // namespace

// Writes the order of what is held and what comes on top, once for each set and order.
void acquired_inside(Local& me, std::uint64_t object_kind, std::uint64_t site,
                     std::uint32_t held) noexcept {
  if (held > kHeld) held = kHeld;
  Slot& slot = *me.slot;
  std::uint64_t key = object_kind * kMixer;
  for (std::uint32_t i = held; i-- > 0;) {
    const std::uint64_t other = slot.held[i].object_kind.get();
    if (((other ^ object_kind) & kAddressMask) == 0) return;  // again, by its holder
    key = (key ^ other) * kMixer;
  }
  key |= 1;
  std::uint64_t& written = me.orders[key >> 58];
  if (written == key) return;

  const Busy busy(me);
  if (!busy || (me.head + 1 + held > me.limit && !make_room(me, 1 + held))) return;
  written = key;
  const std::uint64_t when = now() - shared->header.origin;
  put(me, {when_type(when, Type::order), object_kind, site, held});
  for (std::uint32_t i = held; i-- > 0;) {
    put(me, {when_type(when, Type::order_held), slot.held[i].object_kind.get(),
             slot.held[i].site_stack.get(), 0});
  }
  publish(me);
}

// The pair has its place, or the one beside it; the one less used is given away.
void begin_count(Local& me, Count& first, std::uint64_t object_kind, std::uint64_t site) noexcept {
  Count* const counts = me.slot->counts;
  Count& second = counts[(&first - counts) ^ 1];
  if (second.object_kind.get() == object_kind && second.site.get() == site) {
    second.n.set(second.n.get() + 1);
    return;
  }
  Count& count = second.n.get() < first.n.get() ? second : first;
  const std::uint64_t n = count.n.get();
  if (n != 0) emit(me, Type::counted, count.object_kind.get(), count.site.get(), n);
  // The watcher may look in between: it counts 0 then.
  count.n.set(0);
  count.object_kind.set(object_kind);
  count.site.set(site);
  count.n.set(1);
  emit(me, Type::acquire, object_kind, pack(site, stack_of(me, site)), 0);
  begin_sample(me, object_kind, site);
}

void begin_sample(Local& me, std::uint64_t object_kind, std::uint64_t site) noexcept {
  if (me.sample_mask == 0) emit(me, Type::acquire, object_kind, site, 1);
  if (me.sampled_object != 0) return;  // of the outer lock
  me.sampled_object = object_kind & kAddressMask;
  me.sampled_site = site;
  me.sampled_since = now();
}

void end_sample(Local& me) noexcept {
  const std::uint64_t until = now();
  const std::uint64_t object = me.sampled_object;
  me.sampled_object = 0;
  emit(me, Type::held, object, me.sampled_site, until - me.sampled_since, until);
}

void released_inside(Local& me, std::uint64_t object, std::uint32_t held) noexcept {
  Slot& slot = *me.slot;
  const std::uint32_t known = held < kHeld ? held : kHeld;
  for (std::uint32_t i = known; i-- > 0;) {
    if ((slot.held[i].object_kind.get() & kAddressMask) != object) continue;
    for (; i + 1 < known; ++i) {
      slot.held[i].object_kind.set(slot.held[i + 1].object_kind.get());
      slot.held[i].site_stack.set(slot.held[i + 1].site_stack.get());
    }
    slot.held_n.set(held - 1);
    return;
  }
  if (held > kHeld) slot.held_n.set(held - 1);  // one of those that found no room
}

void ended(Local& me, const void* object) noexcept {
  emit(me, Type::object_ended, pack(number(object), Kind::none), 0, 0);
}

Wait::Wait(Local& me, Kind kind, const void* object, std::uint64_t site, std::uint64_t argument,
           std::uint8_t flags) noexcept
    : me_(me), object_kind_(pack(number(object), kind, flags)) {
  const KeepErrno keep;
  site_stack_ = pack(site, stack_of(me, site));
  const std::uint64_t when = now();
  Slot& slot = *me.slot;
  slot.waits_at.set(site_stack_);
  slot.waits_argument.set(argument);
  slot.waits_since.set(when - shared->header.origin);
  slot.waits_for.store(object_kind_, std::memory_order_release);  // [events]
  emit(me, Type::wait_begin, object_kind_, site_stack_, argument, when);
}

void Wait::finish(std::uint64_t result) noexcept {
  if (me_.slot == nullptr) return;  // the child of a fork, without a slot
  const KeepErrno keep;
  me_.slot->waits_for.store(0, std::memory_order_relaxed);
  emit(me_, Type::wait_end, object_kind_, site_stack_, result);
}

}  // namespace thrum::watch
