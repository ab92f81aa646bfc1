// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "watch/hooks.h"

#include "trace/shared.h"

namespace thrum::watch {

using namespace trace;

namespace {

constexpr std::uint64_t kMixer = 0x9E3779B97F4A7C15u;
// A wait of so many ticks is written even where others are left out: half a millisecond to two,
// by the clock. One thread has not many of them.
constexpr std::uint64_t kLongWait = 1u << 21;

// A thread that goes through hundreds of locks finds no place in the tables below each time, and
// would write events for each acquisition. The first that find none are all written, then one of so
// many, by chance: who goes through them in turn would miss some for good else.
constexpr std::uint32_t kAllMissed = 256;
constexpr unsigned kOneOf = 64;

bool is_first(std::uint32_t& missed) noexcept {
  if (missed >= kAllMissed) return false;
  ++missed;
  return true;
}
bool is_taken(Local& me) noexcept {
  // Knuth's numbers; the upper bits are the random ones.
  me.random = me.random * 6364136223846793005u + 1442695040888963407u;
  return (me.random >> 32) % kOneOf == 0;
}

}  // namespace

// Notes what comes on top of what is held; writes their order, once for each set and order.
void acquired_inside(Local& me, std::uint64_t object_kind, std::uint64_t site,
                     bool only_tried) noexcept {
  Slot& slot = *me.slot;
  const std::uint32_t before = slot.held_n.get();
  const std::uint32_t held = before < kHeld ? before : kHeld;
  if (before < kHeld) {
    slot.held[before].object_kind.set(object_kind);
    slot.held[before].site_stack.set(site);
    me.since[before] = 0;
  }
  slot.held_n.set(before + 1);
  if (only_tried) return;

  std::uint64_t key = object_kind * kMixer;
  for (std::uint32_t i = held; i-- > 0;) {
    const std::uint64_t other = slot.held[i].object_kind.get();
    if (((other ^ object_kind) & kAddressMask) == 0) return;  // again, by its holder
    key = (key ^ other) * kMixer;
  }
  key |= 1;
  std::uint64_t(&written)[Local::kOrders] = me.orders[key >> 58];
  for (const std::uint64_t one : written) {
    if (one == key) return;
  }
  if (!is_first(me.orders_missed) && !is_taken(me)) return;

  const Busy busy(me);
  if (!busy || (me.head + 1 + held > me.limit && !make_room(me, 1 + held))) return;
  for (std::uint32_t i = Local::kOrders - 1; i > 0; --i) written[i] = written[i - 1];
  written[0] = key;
  const std::uint64_t when = now() - shared->header.origin;
  put(me, {when_type(when, Type::order), object_kind, site, held});
  for (std::uint32_t i = held; i-- > 0;) {
    put(me, {when_type(when, Type::order_held), slot.held[i].object_kind.get(),
             slot.held[i].site_stack.get(), 0});
  }
  publish(me);
}

// The pair has its place, or one of the three beside it; the one least used is given away. Where
// that was hardly used itself they would change hands all the time: of those who want it then one
// is taken, and stands for all.
void count_elsewhere(Local& me, Count& first, std::uint64_t object_kind,
                     std::uint64_t site) noexcept {
  constexpr std::ptrdiff_t kBeside = 3;
  constexpr std::uint64_t kUsed = 4 * kOneOf;
  Count* const counts = me.slot->counts;
  Count* least = &first;
  for (std::ptrdiff_t i = 1; i <= kBeside; ++i) {
    Count& other = counts[(&first - counts) ^ i];
    if (other.object_kind.get() == object_kind && other.site.get() == site) {
      other.n.set(other.n.get() + 1);
      return;
    }
    if (other.n.get() < least->n.get()) least = &other;
  }
  Count& count = *least;
  const std::uint64_t n = count.n.get();
  std::uint64_t stands_for = 1;
  if (n != 0 && n < kUsed && !is_first(me.counts_missed)) {
    if (!is_taken(me)) return;
    stands_for = kOneOf;
  }
  if (n != 0) emit(me, Type::counted, count.object_kind.get(), count.site.get(), n);
  // The watcher may look in between: it counts 0 then.
  count.n.set(0);
  count.object_kind.set(object_kind);
  count.site.set(site);
  count.n.set(stands_for);
  emit(me, Type::acquire, object_kind, pack(site, stack_of(me, site)), 0);
  time_newest(me);
}

void time_newest(Local& me) noexcept {
  const std::uint32_t newest = me.slot->held_n.get() - 1;
  if (newest >= kHeld) return;
  if (me.since[newest] == 0) ++me.timed;
  me.since[newest] = now();
  me.quick = nullptr;
}

Hold releasing(Local& me, const void* object) noexcept {
  const std::uint64_t address = number(object) & kAddressMask;
  Slot& slot = *me.slot;
  const std::uint32_t n = slot.held_n.get();
  const std::uint32_t known = n < kHeld ? n : kHeld;
  for (std::uint32_t i = known; i-- > 0;) {
    const std::uint64_t object_kind = slot.held[i].object_kind.get();
    if ((object_kind & kAddressMask) != address) continue;
    const Hold hold{object_kind, slot.held[i].site_stack.get(), me.since[i]};
    for (; i + 1 < known; ++i) {
      slot.held[i].object_kind.set(slot.held[i + 1].object_kind.get());
      slot.held[i].site_stack.set(slot.held[i + 1].site_stack.get());
      me.since[i] = me.since[i + 1];
    }
    me.since[i] = 0;
    slot.held_n.set(n - 1);
    if (hold.since != 0) {
      --me.timed;
      me.find_way();
    }
    return hold;
  }
  if (n > kHeld) slot.held_n.set(n - 1);  // one of those that found no room
  return {};
}

void held(Local& me, const Hold& hold) noexcept {
  if (me.slot == nullptr || is_resting()) return;
  if (hold.since == 0) {
    // Its place among the others is known, its time is not: the clock costs more than all the rest.
    if (me.record_all && hold.object_kind != 0)
      emit(me, Type::held, hold.object_kind, hold.site, kUntimed, me.stamp);
    return;
  }
  const std::uint64_t until = now();
  emit(me, Type::held, hold.object_kind, hold.site, until - hold.since, until);
}

void ended(Local& me, const void* object) noexcept {
  emit(me, Type::object_ended, pack(number(object), Kind::none), 0, 0);
}

std::uint64_t begin_wait(Local& me, std::uint64_t object_kind, std::uint64_t site,
                         std::uint64_t argument) noexcept {
  const KeepErrno keep;
  const std::uint64_t site_stack = pack(site, stack_of(me, site, object_kind));
  const std::uint64_t when = now();
  Slot& slot = *me.slot;
  slot.waits_at.set(site_stack);
  slot.waits_argument.set(argument);
  slot.waits_since.set(when - shared->header.origin);
  slot.waits_for.store(object_kind, std::memory_order_release);  // [events]
  me.wait_is_written = !is_resting();
  if (me.wait_is_written) emit(me, Type::wait_begin, object_kind, site_stack, argument, when);
  return site_stack;
}

void end_wait(Local& me, std::uint64_t object_kind, std::uint64_t site_stack,
              std::uint64_t result) noexcept {
  if (me.slot == nullptr) return;  // the child of a fork, without a slot
  const KeepErrno keep;
  Slot& slot = *me.slot;
  slot.waits_for.store(0, std::memory_order_relaxed);
  const std::uint64_t when = now();
  if (!me.wait_is_written) {
    const std::uint64_t since = slot.waits_since.get() + shared->header.origin;
    if (when - since < kLongWait) return;
    emit(me, Type::wait_begin, object_kind, site_stack, slot.waits_argument.get(), since);
  }
  emit(me, Type::wait_end, object_kind, site_stack, result, when);
}

}  // namespace thrum::watch
