// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Reads-from feedback (Wolff et al., RFF, ASPLOS 2024), for bugs that need one rare read to see one
// rare write. A *pair* is a read and the write whose value it saw. What is searched are not
// schedules but sets of wishes, such as: this read sees that write. An execution that shows a pair
// for the first time leaves its wishes behind, and that pair as one more; so does one whose wishes
// all came true, together for the first time. Later executions take such a set, change it a little,
// and hold threads back until the wishes come true. Else who goes next is as in partial order
// sampling.
//
// Of an object with a lock, who takes it sees who had it before.
#include "check/strategies/strategy.h"

namespace thrum::check {
namespace {

using Place = Feedback::Place;
using Wish = Feedback::Wish;
using Wishes = Feedback::Wishes;

// A wish of the execution under way.
struct Open {
  Place reader, writer;
  bool has_writer;  // else what was there at first
  bool is_forbidden;
  bool is_done;
  bool is_there;  // the write is the last one: a read would see it
};
struct State {
  std::uint32_t looked;  // steps of the log that were seen already
  std::uint32_t held_back;
  std::uint32_t wishes;
  std::uint32_t open;       // of them
  std::uint64_t addresses;  // a filter of those that they are about
  Open wish[Feedback::kMostWishes];
};
constinit State state{};

Feedback& feedback() noexcept { return engine.shared->feedback; }

bool reads(Op op) noexcept {
  return is_access(op) && !is_in(set_of(Op::write, Op::atomic_store, Op::signal, Op::broadcast,
                                        Op::semaphore_post, Op::futex_wake),
                                 op);
}

Place place_of(const Event& event) noexcept {
  return {event.pc, event.address, event.op, event.thread};
}
std::uint64_t address_of(const Thread& thread) noexcept {
  return reinterpret_cast<std::uintptr_t>(thread.object);
}
Place place_of(const Thread& thread) noexcept {
  return {thread.pc, address_of(thread), thread.op, thread.id};
}
bool same(const Place& a, const Place& b) noexcept {
  return a.pc == b.pc && a.address == b.address && a.op == b.op && a.thread == b.thread;
}
std::uint64_t filter_of(std::uint64_t address) noexcept {
  return std::uint64_t{1} << (address * kGolden >> 58);
}
// --- before an execution: what it shall wish

// Numbers of their own, so that the same execution again has the same ones without choosing.
struct Dice {
  std::uint64_t state;
  std::uint32_t below(std::uint32_t n) noexcept {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::uint32_t>((state >> 33) % n);
  }
};

// A read and a write with the same object. Rare ones are preferred.
bool imagine(Dice& dice, Wish& wish) noexcept {
  const Feedback& known = feedback();
  std::uint16_t list[Feedback::kPlaces];
  std::uint32_t n = 0;
  for (std::uint16_t i = 0; i < known.places; ++i) {
    if (reads(known.place[i].op)) list[n++] = i;
  }
  if (n == 0) return false;
  const auto rarer = [&] {
    const std::uint16_t a = list[dice.below(n)];
    const std::uint16_t b = list[dice.below(n)];
    return known.times[a] < known.times[b] ? a : b;
  };
  wish = {Feedback::kNobody, rarer(), false};
  n = 0;
  for (std::uint16_t i = 0; i < known.places; ++i) {
    const Place& place = known.place[i];
    if (writes(place.op) && place.address == known.place[wish.reader].address) list[n++] = i;
  }
  if (n != 0 && dice.below(8) != 0) wish.writer = rarer();
  return true;
}

void add(Wishes& wishes, const Wish& wish) noexcept {
  for (std::uint32_t i = 0; i < wishes.count; ++i) {
    if (wishes.wish[i].reader != wish.reader) continue;
    wishes.wish[i] = wish;
    return;
  }
  if (wishes.count < Feedback::kMostWishes) wishes.wish[wishes.count++] = wish;
}

void change(Dice& dice, Wishes& wishes) noexcept {
  const std::uint32_t how = dice.below(8);
  if (how < 5 || wishes.count == 0) {
    Wish wish;
    if (imagine(dice, wish)) add(wishes, wish);
  } else if (how == 5) {
    const std::uint32_t i = dice.below(wishes.count);
    wishes.wish[i] = wishes.wish[--wishes.count];
  } else if (how == 6) {
    Wish& wish = wishes.wish[dice.below(wishes.count)];
    wish.is_forbidden = !wish.is_forbidden;
  }
}

void choose(Dice dice) noexcept {
  Feedback& known = feedback();
  known.now = {};
  known.patience = 2 * known.shortest + 100;
  if (known.kept_count != 0 && dice.below(8) != 0) {
    Feedback::Kept& a = known.kept[dice.below(known.kept_count)];
    Feedback::Kept& b = known.kept[dice.below(known.kept_count)];
    Feedback::Kept& base = a.times < b.times ? a : b;
    ++base.times;
    known.now = base.wishes;
  }
  change(dice, known.now);
  if (dice.below(2) == 0) change(dice, known.now);
}

void begin() noexcept {
  const Dice dice{random_number()};
  if (!engine.shared->job.again) choose(dice);
  const Feedback& known = feedback();
  state.looked = state.held_back = 0;
  state.wishes = state.open = known.now.count;
  state.addresses = 0;
  for (std::uint32_t i = 0; i < state.wishes; ++i) {
    const Wish& wish = known.now.wish[i];
    const bool has_writer = wish.writer != Feedback::kNobody;
    state.wish[i] = {known.place[wish.reader],
                     known.place[has_writer ? wish.writer : wish.reader],
                     has_writer,
                     wish.is_forbidden,
                     false,
                     !has_writer};
    state.addresses |= filter_of(state.wish[i].reader.address);
  }
  kPos.begin();
}

// --- in the course of it

void look_back() noexcept {
  const Shared& shared = *engine.shared;
  if (shared.result.steps - state.looked > kEvents) state.looked = shared.result.steps - kEvents;
  for (; state.looked < shared.result.steps; ++state.looked) {
    const Event& event = shared.event[state.looked % kEvents];
    if ((filter_of(event.address) & state.addresses) == 0) continue;
    for (std::uint32_t i = 0; i < state.wishes; ++i) {
      Open& wish = state.wish[i];
      if (wish.reader.address != event.address || !is_access(event.op)) continue;
      const Place place = place_of(event);
      if (wish.is_there && !wish.is_done && same(wish.reader, place)) {
        wish.is_done = true;
        --state.open;
      }
      if (writes(event.op) && (event.flags & kFailed) == 0) {
        wish.is_there = wish.has_writer && same(wish.writer, place);
      }
    }
  }
}

enum class Wanted : std::uint8_t { later, any_time, now };

Wanted when(const Thread& thread) noexcept {
  Wanted wanted = Wanted::any_time;
  if ((filter_of(address_of(thread)) & state.addresses) == 0) return wanted;
  for (std::uint32_t i = 0; i < state.wishes; ++i) {
    const Open& wish = state.wish[i];
    if (wish.is_done || wish.reader.address != address_of(thread)) continue;
    const bool is_reader = same(wish.reader, place_of(thread));
    if (is_reader && wish.is_there != wish.is_forbidden) {
      if (!wish.is_forbidden) wanted = Wanted::now;
    } else if (is_reader) {
      // It waits for the write; or for another one, after the one that it shall not see.
      if (wish.is_forbidden || wish.has_writer) return Wanted::later;
    } else if (!wish.is_forbidden && wish.is_there && writes(thread.op)) {
      return Wanted::later;  // the read comes first
    }
  }
  return wanted;
}

Thread* next(const Candidates& candidates) noexcept {
  if (state.open == 0 || state.held_back > feedback().patience) {
    return kPos.next(candidates);
  }
  look_back();
  Candidates some;  // of them
  some.count = 0;
  some.current = candidates.current;
  some.usual = candidates.usual;
  some.all_spin = candidates.all_spin;
  Wanted best = Wanted::later;
  std::uint32_t later = 0;
  for (std::uint32_t i = 0; i < candidates.count; ++i) {
    const Wanted wanted = when(*candidates.thread[i]);
    if (wanted == Wanted::later) ++later;
    if (wanted > best) {
      best = wanted;
      some.count = 0;
    } else if (wanted < best) {
      continue;
    }
    some.thread[some.count++] = candidates.thread[i];
  }
  // Others may wait, in a loop of their own, for what is held back: not for ever.
  if (later != 0) ++state.held_back;
  return kPos.next(some);
}

// --- after it: what was new

std::uint32_t hash_of(const Place& place) noexcept {
  const std::uint64_t mixed = (place.pc * 31 + place.address * 17 +
                               static_cast<std::uint64_t>(place.op) * 8 + place.thread) *
                              0x9e3779b97f4a7c15U;
  return static_cast<std::uint32_t>(mixed >> 40);
}

// Returns its number; kNobody: there are too many.
std::uint16_t number_of(const Place& place) noexcept {
  Feedback& known = feedback();
  for (std::uint32_t at = hash_of(place);; ++at) {
    std::uint16_t& slot = known.place_slot[at % Feedback::kSlots];
    if (slot == 0) {
      if (known.places == Feedback::kPlaces) return Feedback::kNobody;
      known.place[known.places] = place;
      slot = static_cast<std::uint16_t>(++known.places);
      return static_cast<std::uint16_t>(slot - 1);
    }
    if (same(known.place[slot - 1], place)) return static_cast<std::uint16_t>(slot - 1);
  }
}

// Returns whether it is remembered for the first time. What is full knows everything.
bool is_new(std::uint64_t what) noexcept {
  Feedback& known = feedback();
  what = what * 0x9e3779b97f4a7c15U | 1;
  for (std::uint64_t at = what >> 40;; ++at) {
    std::uint64_t& slot = known.seen[at % Feedback::kSeenSlots];
    if (slot == what) return false;
    if (slot != 0) continue;
    if (known.seen_count == Feedback::kSeenSlots / 2) return false;
    slot = what;
    ++known.seen_count;
    return true;
  }
}

std::uint64_t name_of(const Wish& wish) noexcept {
  return (std::uint64_t{wish.writer} << 32 | std::uint64_t{wish.reader} << 8 |
          static_cast<std::uint64_t>(wish.is_forbidden)) +
         1;
}

// Did they all come true, together for the first time?
bool came_true() noexcept {
  const Wishes& wishes = feedback().now;
  // The process that was to fulfil them has died, and this is another one.
  if (state.wishes != wishes.count) return false;
  std::uint64_t all = 0;
  for (std::uint32_t i = 0; i < wishes.count; ++i) {
    if (!state.wish[i].is_done && !wishes.wish[i].is_forbidden) return false;
    const std::uint64_t name = name_of(wishes.wish[i]) * 0xd1b54a32d192ed03U;
    all += name ^ name >> 32;  // in any order
  }
  return wishes.count > 1 && is_new(all);
}

void keep(const Wish* one_more) noexcept {
  Feedback& known = feedback();
  Feedback::Kept* kept = &known.kept[0];
  if (known.kept_count < Feedback::kKept) {
    kept = &known.kept[known.kept_count++];
  } else {  // in the place of the one that was used most
    for (Feedback::Kept& each : known.kept) kept = each.times > kept->times ? &each : kept;
  }
  *kept = {known.now, 0};
  if (one_more != nullptr) add(kept->wishes, *one_more);
}

// By an object's address, of one execution: who wrote last, and whether several threads use it.
struct Last {
  std::uint64_t address;
  std::uint32_t execution;  // it is of; of another one, it counts as empty
  std::uint16_t writer;
  std::uint8_t user;
  bool is_shared;
};
constinit Last last[Feedback::kSlots]{};
constinit std::uint32_t executions = 0;

Last* last_at(const Event& event) noexcept {
  if (event.address == 0 || !is_access(event.op)) return nullptr;
  const std::uint64_t begin = event.address * 0x9e3779b97f4a7c15U >> 40;
  for (std::uint32_t i = 0; i < 8; ++i) {
    Last& entry = last[(begin + i) % Feedback::kSlots];
    if (entry.execution != executions) {
      entry = {event.address, executions, Feedback::kNobody, event.thread, false};
    }
    if (entry.address == event.address) return &entry;
  }
  return nullptr;  // there are many: it does without this one
}

}  // namespace

constinit const Strategy kRff{begin, next, decide_at_random};

void take_feedback() noexcept {
  const Shared& shared = *engine.shared;
  Feedback& known = feedback();
  const std::uint32_t steps = shared.result.steps;
  if (steps > kEvents) return;  // its beginning is lost
  if (shared.result.outcome != Outcome::cut_off &&
      (steps < known.shortest || known.shortest == 0)) {
    known.shortest = steps;
  }
  ++executions;
  bool is_shared = false;
  for (std::uint32_t i = 0; i < steps; ++i) {
    const Event& event = shared.event[i];
    Last* const at = last_at(event);
    if (at == nullptr || at->user == event.thread) continue;
    at->is_shared = is_shared = true;
  }
  for (std::uint32_t i = 0; is_shared && i < steps; ++i) {
    const Event& event = shared.event[i];
    Last* const at = last_at(event);
    if (at == nullptr || !at->is_shared) continue;
    const std::uint16_t place = number_of(place_of(event));
    if (place == Feedback::kNobody) continue;
    ++known.times[place];
    const Wish pair{at->writer, place, false};
    if (reads(event.op) && is_new(name_of(pair))) {
      ++known.pairs;
      keep(&pair);
    }
    if (writes(event.op) && (event.flags & kFailed) == 0) at->writer = place;
  }
  look_back();
  if (came_true()) keep(nullptr);
}

}  // namespace thrum::check
