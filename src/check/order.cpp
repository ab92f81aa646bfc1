// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "check/order.h"

#include "check/fiber.h"
#include "check/modules.h"
#include "check/server.h"

namespace thrum::check {

constinit Detector detector{};

namespace {

constexpr std::size_t kArenaBytes = std::size_t{2} << 30;  // reserved; what is used is far less

constexpr std::uint32_t kPatience = 100;  // with a loop that only reads plain memory

// Plain points of this execution by their address: a filter, and the list behind it.
constinit std::uint64_t filter[1024]{};

std::uint32_t slot(Pc pc) noexcept {
  return static_cast<std::uint32_t>(pc * 0x9e3779b97f4a7c15U >> 48);
}

Side side_of(const Access& access, const void* address) noexcept {
  using Kind = Access::Kind;
  const bool is_atomic = access.kind == Kind::atomic_read || access.kind == Kind::atomic_write ||
                         access.kind == Kind::atomic_update;
  return {access.pc,
          reinterpret_cast<std::uintptr_t>(address),
          access.step,
          access.size,
          static_cast<std::uint8_t>(access.thread),
          access.kind != Kind::read && access.kind != Kind::atomic_read,
          is_atomic,
          access.kind == Kind::free};
}

OrderPoint order_point(const Edge& edge) noexcept {
  static_assert(static_cast<int>(Edge::Kind::none) == static_cast<int>(OrderedBy::nothing) &&
                static_cast<int>(Edge::Kind::join) == static_cast<int>(OrderedBy::join));
  return {edge.pc, reinterpret_cast<std::uintptr_t>(edge.object), edge.step,
          static_cast<OrderedBy>(edge.kind)};
}

void take_race_stack(std::uint32_t side) noexcept {
  std::uint64_t* const stack = engine.shared->result.race_stack[side];
  const std::uint32_t depth = take_stack(stack, kStackDepth);
  if (depth < kStackDepth) stack[depth] = 0;
}

}  // namespace

void order_prepare() noexcept {
  detector.init(map_memory(kArenaBytes, "the race detector"), kArenaBytes);
}

void order_begin() noexcept { detector.reset(); }

void judge_race(const Race& race) noexcept {
  Result& result = engine.shared->result;
  const bool by_use = race.kind != Race::Kind::data_race;
  const bool is_blind = engine.shared->blind[0] != 0;
  const bool is_muted = is_suppressed(race.first.pc) || is_suppressed(race.second.pc);
  if (!by_use && (is_blind || is_muted || !engine.shared->job.races)) {
    promote(race.first.pc);
    promote(race.second.pc);
    return;
  }
  // A library that was not instrumented may order by its own atomics what it frees, as libstdc++
  // does exceptions, or what others do. What is used after it has freed it is wrong all the same.
  if (race.kind == Race::Kind::free_while_used &&
      (is_blind || is_muted || !is_instrumented(race.second.pc))) {
    return;
  }
  result.race[0] = side_of(race.first, race.address);
  result.race[1] = side_of(race.second, race.address);
  result.released = order_point(race.released);
  result.acquired = order_point(race.acquired);
  if (engine.shared->job.record) take_race_stack(1);
  finish(by_use ? Outcome::use_after_free : Outcome::race,
         race.kind == Race::Kind::double_free ? "freed twice" : nullptr, 0, race.second.pc);
}

void watch_access(const void* address, std::size_t size, Pc pc) noexcept {
  const Side& watched = engine.shared->job.watched;
  const auto begin = reinterpret_cast<std::uintptr_t>(address);
  if (pc != watched.pc || self().id != watched.thread || begin > watched.address ||
      watched.address - begin >= size) {
    return;
  }
  take_race_stack(0);  // of the last such access before the race
}

void plain_access(const void* address, std::size_t size, bool writes, Pc pc) noexcept {
  if (is_plain_point(pc)) {
    point(writes ? Op::write : Op::read, address, pc);
    if (writes) {
      changed(address);
      progress();
    } else if (size <= 8) {
      std::uint64_t value = 0;
      for (std::size_t i = 0; i < size; ++i) {
        value |= std::uint64_t{static_cast<const volatile unsigned char*>(address)[i]} << 8 * i;
      }
      note_value(value);
      looked_at(address, value, pc, kPatience);
    }
  }
  watched(address, size, pc);
  const std::uint8_t me = self().id;
  judged(writes ? detector.write(me, address, size, pc) : detector.read(me, address, size, pc));
}

void begin_plain_points() noexcept {
  Shared& shared = *engine.shared;
  static constinit bool is_clear = true;
  if (!is_clear) {
    for (std::uint64_t& word : filter) word = 0;
    is_clear = true;
  }
  engine.points = shared.job.watches;
  const bool replays = shared.result.strategy == StrategyId::replay;
  const std::uint32_t n = replays ? shared.wanted.points : shared.points;
  const std::uint64_t* const points = replays ? shared.wanted.point : shared.point;
  Schedule& happened = shared.happened;
  for (std::uint32_t i = 0; i < n; ++i) {
    const Pc pc = points[i];
    const std::uint64_t salted = (pc ^ engine.run.sampled_salt) * 0x9e3779b97f4a7c15U;
    if ((salted >> 56) >= engine.run.sampled_of_256) continue;
    filter[slot(pc) / 64] |= std::uint64_t{1} << slot(pc) % 64;
    is_clear = false;
    engine.points = true;
    happened.point[happened.points++] = pc;
  }
}

bool is_plain_point(Pc pc) noexcept {
  if ((filter[slot(pc) / 64] >> slot(pc) % 64 & 1) == 0) return false;
  const Schedule& happened = engine.shared->happened;
  for (std::uint32_t i = 0; i < happened.points; ++i) {
    if (happened.point[i] == pc) return true;
  }
  return false;
}

void promote(Pc pc) noexcept {
  Shared& shared = *engine.shared;
  for (std::uint32_t i = 0; i < shared.new_points; ++i) {
    if (shared.new_point[i] == pc) return;
  }
  if (shared.new_points < kPoints) shared.new_point[shared.new_points++] = pc;
}

}  // namespace thrum::check
