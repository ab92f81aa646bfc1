// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Selectively uniform random walk (Zhao et al., ASPLOS 2025): the operations on one object, or on a
// few, are selected; all of their interleavings are about as likely, however many other steps the
// threads make in between. A thread is chosen by how many selected operations it, and those that it
// will start, have left; until it has made one, who comes to a selected operation waits there. How
// many there are is counted in one execution of sixteen, a plain random walk.
#include "check/strategies/strategy.h"

namespace thrum::check {
namespace {

constexpr std::uint32_t kMostSelected = 3;
constexpr std::uint32_t kUses = 15;  // of a census, until the next
constexpr std::uint32_t kProbes = 8;
constexpr std::uint64_t kNoObject = UINT64_MAX;

struct State {
  std::uint32_t selected;               // 0: a plain random walk
  std::uint64_t object[kMostSelected];  // kNoObject: fewer
  std::uint32_t left[kThreads];         // of selected operations
  std::uint32_t looked;                 // steps of the log that were counted already
  std::uint32_t threads;                // so were these
  std::uint32_t held_back;              // decisions since the last selected operation
  std::int32_t intent;                  // who is to make the next one; -1: nobody yet
};
constinit State state{};

Census& census() noexcept { return engine.shared->census; }

bool is_selected(Op op, std::uint64_t object) noexcept {
  static_assert(kMostSelected == 3);
  const bool is =
      object == state.object[0] || object == state.object[1] || object == state.object[2];
  return is && is_access(op);
}

bool is_selected(const Thread& thread) noexcept {
  return is_selected(thread.op, reinterpret_cast<std::uintptr_t>(thread.object));
}

// How many selected operations the thread has left, and those that it will start.
std::uint32_t weight(std::uint32_t thread) noexcept {
  std::uint32_t sum = state.left[thread];
  for (std::uint32_t i = state.threads; i < census().threads; ++i) {
    std::uint32_t ancestor = i;
    while (ancestor >= state.threads) {
      ancestor = static_cast<std::uint32_t>(census().parent[ancestor]);
    }
    if (ancestor == thread) sum += state.left[i];
  }
  return sum;
}

// Chooses among those that have operations left.
void choose_intent() noexcept {
  std::uint32_t weights[kThreads];
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < state.threads; ++i) {
    weights[i] = engine.thread[i].finished ? 0 : weight(i);
    total += weights[i];
  }
  state.intent = -1;
  if (total == 0) return;
  std::uint64_t at = random_number() % total;
  std::uint32_t i = 0;
  while (at >= weights[i]) at -= weights[i++];
  state.intent = static_cast<std::int32_t>(i);
}

// All of them are at a selected operation: the next one is made here and now.
Thread* choose_among(const Candidates& candidates) noexcept {
  std::uint32_t weights[kThreads];
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < candidates.count; ++i) {
    const Thread& thread = *candidates.thread[i];
    const std::uint32_t left = is_selected(thread) ? weight(thread.id) : 0;
    weights[i] = is_selected(thread) && left == 0 ? 1 : left;  // more than were counted
    total += weights[i];
  }
  std::uint64_t at = random_number() % total;
  std::uint32_t i = 0;
  while (at >= weights[i]) at -= weights[i++];
  return candidates.thread[i];
}

// Who was started since takes its share of the operations along.
void count_threads() noexcept {
  for (; state.threads < engine.run.threads; ++state.threads) {
    const auto parent = engine.shared->thread[state.threads].parent;
    if (parent != state.intent) continue;
    const std::uint32_t both = weight(static_cast<std::uint32_t>(parent));
    const std::uint32_t own = state.threads < census().threads ? state.left[state.threads] : 0;
    if (both != 0 && random_number() % both < own) {
      state.intent = static_cast<std::int32_t>(state.threads);
    }
  }
}

// What was done since the last decision. There is none if only one thread could go on.
void count_operations() noexcept {
  const Shared& shared = *engine.shared;
  if (shared.result.steps - state.looked > kEvents) state.looked = shared.result.steps - kEvents;
  for (; state.looked < shared.result.steps; ++state.looked) {
    const Event& event = shared.event[state.looked % kEvents];
    if (!is_selected(event.op, event.address)) continue;
    if (state.left[event.thread] != 0) --state.left[event.thread];
    state.intent = -1;
    state.held_back = 0;
  }
}

void select() noexcept {
  static constexpr std::uint32_t kHowMany[] = {1, 1, 2, 3};
  std::uint32_t wanted = kHowMany[random_number() % 4];
  if (wanted > census().shared_count) wanted = census().shared_count;
  for (; state.selected < wanted; ++state.selected) {
    const std::uint64_t slot = census().shared[random_number() % census().shared_count];
    const Census::Object& object = census().object[slot];
    bool is_new = true;
    for (std::uint32_t i = 0; i < state.selected; ++i) is_new &= state.object[i] != object.address;
    if (!is_new) break;  // one less, then
    state.object[state.selected] = object.address;
    for (std::uint32_t i = 0; i < census().threads; ++i) state.left[i] += object.by[i];
  }
}

void begin() noexcept {
  state = {};
  state.threads = 1;
  state.intent = -1;
  for (std::uint64_t& object : state.object) object = kNoObject;
  if (!engine.shared->job.again) {
    census().is_taken_now = census().shared_count == 0 || census().age == kUses;
    if (!census().is_taken_now) ++census().age;
  }
  if (!census().is_taken_now) select();
}

Thread* next(const Candidates& candidates) noexcept {
  if (state.selected == 0) return candidates.thread[decide_at_random(candidates.count)];
  count_threads();
  count_operations();
  if (state.intent < 0 || engine.thread[state.intent].finished) choose_intent();
  Thread* free[kThreads];
  std::uint32_t n = 0;
  std::uint32_t held_back = 0;
  for (std::uint32_t i = 0; i < candidates.count; ++i) {
    Thread* const thread = candidates.thread[i];
    if (state.intent < 0 || thread->id == state.intent || !is_selected(*thread)) {
      free[n++] = thread;
    } else {
      ++held_back;
    }
  }
  // The others may wait, in a loop of their own, for what is held back.
  if (n == 0 || (held_back != 0 && ++state.held_back > census().steps)) {
    return choose_among(candidates);
  }
  return free[decide_at_random(n)];
}

Census::Object* object_at(std::uint64_t address) noexcept {
  const std::uint64_t begin = address * 0x9e3779b97f4a7c15U >> 56;
  for (std::uint32_t i = 0; i < kProbes; ++i) {
    Census::Object& object = census().object[(begin + i) % Census::kSlots];
    if (object.address == address) return &object;
    if (object.address == 0) {
      object.address = address;
      return &object;
    }
  }
  return nullptr;  // there are many: it does without this one
}

}  // namespace

constinit const Strategy kSurw{begin, next, decide_at_random};

void take_census() noexcept {
  Shared& shared = *engine.shared;
  if (!census().is_taken_now) return;
  for (Census::Object& object : census().object) {  // not all of it: it is large
    if (object.address == 0) continue;
    object.address = 0;
    for (std::uint32_t i = 0; i < census().threads; ++i) object.by[i] = 0;
  }
  census().threads = census().shared_count = census().age = 0;
  const std::uint32_t events = shared.result.steps < kEvents ? shared.result.steps : kEvents;
  census().steps = shared.result.steps;
  for (std::uint32_t i = 0; i < events; ++i) {
    const Event& event = shared.event[i];
    if (event.thread >= census().threads) census().threads = event.thread + 1U;
    if (event.address == 0 || !is_access(event.op)) continue;
    Census::Object* const object = object_at(event.address);
    if (object != nullptr && object->by[event.thread] != UINT16_MAX) ++object->by[event.thread];
  }
  for (std::uint32_t i = 1; i < census().threads; ++i) {
    census().parent[i] = shared.thread[i].parent;
  }
  for (std::uint32_t slot = 0; slot < Census::kSlots; ++slot) {
    const Census::Object& object = census().object[slot];
    if (object.address == 0) continue;
    std::uint32_t users = 0;
    for (std::uint32_t i = 0; i < census().threads; ++i) users += object.by[i] != 0 ? 1 : 0;
    if (users > 1) census().shared[census().shared_count++] = static_cast<std::uint8_t>(slot);
  }
}

}  // namespace thrum::check
