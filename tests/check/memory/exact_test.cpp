// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The detector against a definition: random traces of at most 64 events, in which happens-before is
// the closure of a graph of edges, and a race is looked for in the whole history of each byte.
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "arena.h"
#include "check/memory/detector.h"

using namespace thrum::check;

namespace {

constexpr unsigned kBytes = 40;  // five granules
alignas(16) char memory[kBytes];
char objects[2];

enum class Does {
  read,
  write,
  atomic_read,
  atomic_write,
  atomic_update,
  fence,
  acquire,
  release,
  create,
  join,
  allocate,
  free
};

struct Event {
  Does does;
  Tid thread;
  unsigned at = 0, size = 0;  // bytes of memory
  Order order = Order::relaxed;
  unsigned object = 0;
  Tid other = 0;

  [[nodiscard]] bool accesses() const { return does <= Does::atomic_update || does == Does::free; }
  [[nodiscard]] bool atomic() const {
    return does >= Does::atomic_read && does <= Does::atomic_update;
  }
  [[nodiscard]] bool writes() const {
    return does == Does::write || does == Does::atomic_write || does == Does::atomic_update ||
           does == Does::free;
  }
  [[nodiscard]] bool covers(unsigned byte) const { return at <= byte && byte < at + size; }
  [[nodiscard]] bool acquires() const {
    return order == Order::acquire || order == Order::consume || order >= Order::acq_rel;
  }
  [[nodiscard]] bool releases() const { return order >= Order::release; }
};

using Trace = std::vector<Event>;
using Set = std::uint64_t;  // of events

constexpr Set bit(unsigned event) { return Set{1} << event; }

// Happens-before and races by their definitions. An event's number is its place in the trace.
class Oracle {
 public:
  explicit Oracle(const Trace& trace) : trace_(trace), before_(trace.size()) {
    for (unsigned i = 0; i < trace.size(); ++i) order(i);
  }

  [[nodiscard]] bool happens_before(unsigned one, unsigned other) const {
    return (before_[other] & bit(one)) != 0;
  }

  // All accesses that `event` races with at the byte, or the free that it comes after.
  [[nodiscard]] Set races(unsigned event, unsigned byte) const {
    const Event& it = trace_[event];
    Set found = 0;
    bool freed = false;
    for (unsigned i = 0; i < event; ++i) {
      const Event& other = trace_[i];
      if (!other.covers(byte)) continue;
      if (other.does == Does::allocate) {
        found = 0;
        freed = false;
      } else if (other.does == Does::free && !freed) {
        found = bit(i);
        freed = true;
      } else if (!freed && other.accesses() && other.thread != it.thread &&
                 (other.writes() || it.writes()) && !(other.atomic() && it.atomic()) &&
                 !happens_before(i, event)) {
        found |= bit(i);
      }
    }
    return found;
  }

  [[nodiscard]] bool races(unsigned event) const {
    if (!trace_[event].accesses()) return false;
    bool alone = true;
    for (unsigned i = 0; i < event; ++i) alone = alone && trace_[i].does != Does::create;
    if (alone && trace_[event].does != Does::free) return false;
    for (unsigned byte = 0; byte < kBytes; ++byte) {
      if (trace_[event].covers(byte) && races(event, byte) != 0) return true;
    }
    return false;
  }

 private:
  void after(unsigned event, unsigned earlier) {
    before_[event] |= before_[earlier] | bit(earlier);
  }

  void order(unsigned event) {
    const Event& it = trace_[event];
    for (unsigned i = 0; i < event; ++i) {
      const Event& other = trace_[i];
      if (other.thread == it.thread || (other.does == Does::create && other.other == it.thread) ||
          (it.does == Does::join &&
           (other.thread == it.other || (other.does == Does::create && other.other == it.other))) ||
          (it.does == Does::acquire && other.does == Does::release && other.object == it.object)) {
        after(event, i);
      }
      // What a relaxed read reads from happens before a later fence.
      if (it.does == Does::fence && it.acquires() && other.thread == it.thread &&
          (other.does == Does::atomic_read || other.does == Does::atomic_update)) {
        synchronize(event, i);
      }
    }
    if ((it.does == Does::atomic_read || it.does == Does::atomic_update) && it.acquires()) {
      synchronize(event, event);
    }
  }

  // `event` comes after the heads of all release sequences that the atomic read `reader` reads
  // from.
  void synchronize(unsigned event, unsigned reader) {
    for (std::optional<unsigned> store = store_before(reader); store;
         store = trace_[*store].does == Does::atomic_update ? store_before(*store) : std::nullopt) {
      if (trace_[*store].releases()) after(event, *store);
      for (unsigned i = 0; i < *store; ++i) {
        if (trace_[i].does == Does::fence && trace_[i].releases() &&
            trace_[i].thread == trace_[*store].thread) {
          after(event, i);
        }
      }
    }
  }

  [[nodiscard]] std::optional<unsigned> store_before(unsigned event) const {
    for (unsigned i = event; i-- > 0;) {
      const Event& it = trace_[i];
      if (it.does == Does::allocate && it.covers(trace_[event].at)) return std::nullopt;
      if (it.atomic() && it.writes() && it.at == trace_[event].at) return i;
    }
    return std::nullopt;
  }

  const Trace& trace_;
  std::vector<Set> before_;
};

Trace random_trace(std::mt19937_64& random) {
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  const unsigned max_threads = 2 + below(5), length = 2 + below(62);
  const unsigned bytes = below(3) == 0 ? kBytes : 8 + 8 * below(2);
  const unsigned syncs = below(4);  // how seldom
  Trace trace;
  std::vector<bool> ended(1, false);
  while (trace.size() < length) {
    const auto n_threads = static_cast<unsigned>(ended.size());
    Event it{Does::read, below(n_threads)};
    if (ended[it.thread]) continue;
    it.does = static_cast<Does>(below(12));
    if (it.does >= Does::fence && it.does <= Does::release && below(syncs + 1) != 0) continue;
    switch (it.does) {
      case Does::atomic_read:
      case Does::atomic_write:
      case Does::atomic_update:
        it.size = 1U << below(4);
        it.at = below(bytes / it.size) * it.size;
        it.order = static_cast<Order>(below(6));
        break;
      case Does::read:
      case Does::write:
        it.size = below(2) == 0 ? 1U << below(5) : 1 + below(20);
        if (it.size > bytes) it.size = bytes;
        it.at = below(bytes - it.size + 1);
        break;
      case Does::allocate:
      case Does::free:
        if (below(5) != 0) continue;
        it.at = below(bytes / 8) * 8;
        it.size = 8 * (1 + below((bytes - it.at) / 8));
        break;
      case Does::fence:
        it.order = static_cast<Order>(2 + below(4));
        break;
      case Does::acquire:
      case Does::release:
        it.object = below(2);
        break;
      case Does::create:
        if (n_threads == max_threads) continue;
        it.other = n_threads;
        ended.push_back(false);
        break;
      case Does::join:
        it.other = below(n_threads);
        if (it.other == 0 || it.other == it.thread || ended[it.other] || below(4) != 0) continue;
        ended[it.other] = true;
        break;
    }
    trace.push_back(it);
  }
  return trace;
}

// As the runtime does: it says which thread runs where another had run.
const Race* perform(Detector& detector, unsigned event, const Event& it) {
  static Tid running = 0;
  if (event == 0) running = 0;
  if (it.thread != running) detector.at_thread(running = it.thread);
  detector.at_step(event);
  const Pc pc = event + 1;
  char* const at = memory + it.at;
  switch (it.does) {
    case Does::read:
      if (it.thread % 2 == 0) return detector.read_here(at, it.size, pc);
      return detector.read(it.thread, at, it.size, pc);  // at points where threads may switch
    case Does::write:
      if (it.thread % 2 == 0) return detector.write_here(at, it.size, pc);
      return detector.write(it.thread, at, it.size, pc);
    case Does::atomic_read:
      return detector.atomic_read(it.thread, at, it.size, it.order, pc);
    case Does::atomic_write:
      return detector.atomic_write(it.thread, at, it.size, it.order, pc);
    case Does::atomic_update:
      return detector.atomic_update(it.thread, at, it.size, it.order, pc);
    case Does::free:
      return detector.freed(it.thread, at, it.size, pc);
    case Does::allocate:
      detector.allocated(at, it.size);
      break;
    case Does::fence:
      detector.fence(it.thread, it.order, pc);
      break;
    case Does::acquire:
      detector.acquire(it.thread, &objects[it.object], pc);
      break;
    case Does::release:
      detector.release(it.thread, &objects[it.object], pc);
      break;
    case Does::create:
      detector.create(it.thread, it.other, pc);
      break;
    case Does::join:
      detector.join(it.thread, it.other, pc);
      break;
  }
  return nullptr;
}

Access::Kind kind_of(const Event& it) {
  switch (it.does) {
    case Does::read:
      return Access::Kind::read;
    case Does::write:
      return Access::Kind::write;
    case Does::atomic_read:
      return Access::Kind::atomic_read;
    case Does::atomic_write:
      return Access::Kind::atomic_write;
    case Does::atomic_update:
      return Access::Kind::atomic_update;
    default:
      return Access::Kind::free;
  }
}

std::string describe(const Trace& trace, unsigned last) {
  static const char* const names[] = {"read",   "write", "atomic_read", "atomic_write",
                                      "update", "fence", "acquire",     "release",
                                      "create", "join",  "allocate",    "free"};
  std::string text;
  for (unsigned i = 0; i <= last; ++i) {
    const Event& it = trace[i];
    text += std::to_string(i) + ": T" + std::to_string(it.thread) + " " +
            names[static_cast<unsigned>(it.does)] + " [" + std::to_string(it.at) + ", +" +
            std::to_string(it.size) + "] order " + std::to_string(static_cast<unsigned>(it.order)) +
            " object " + std::to_string(it.object) + " T" + std::to_string(it.other) + "\n";
  }
  return text;
}

// Of the race that the detector returned, what must be true of it.
void judge(const Trace& trace, const Oracle& oracle, unsigned event, const Race& race) {
  const auto byte = static_cast<unsigned>(static_cast<const char*>(race.address) - memory);
  ASSERT_LT(byte, kBytes);
  const auto first = static_cast<unsigned>(race.first.pc - 1);
  ASSERT_LT(first, event);
  EXPECT_NE(oracle.races(event, byte) & bit(first), 0U) << "with " << first << " at " << byte;
  for (const auto& [access, number] :
       {std::pair{race.first, first}, std::pair{race.second, event}}) {
    const Event& it = trace[number];
    EXPECT_EQ(access.thread, it.thread);
    EXPECT_EQ(access.kind, kind_of(it));
    EXPECT_EQ(access.pc, number + 1);
    EXPECT_EQ(access.step, number);
    const bool known = it.size <= 16 && (it.size & (it.size - 1)) == 0;
    EXPECT_EQ(access.size, known ? it.size : 0);
  }
  const bool was_freed = trace[first].does == Does::free,
             is_freed = trace[event].does == Does::free;
  EXPECT_EQ(race.kind, was_freed  ? is_freed ? Race::Kind::double_free : Race::Kind::use_after_free
                       : is_freed ? Race::Kind::free_while_used
                                  : Race::Kind::data_race);
  if (race.released.kind != Edge::Kind::none && !was_freed) {
    const unsigned release = race.released.step;
    EXPECT_EQ(trace[release].thread, race.first.thread);
    EXPECT_GE(release, first);
    EXPECT_FALSE(oracle.happens_before(release, event));
  }
  if (race.acquired.kind != Edge::Kind::none && race.acquired.kind != Edge::Kind::create) {
    EXPECT_EQ(trace[race.acquired.step].thread, race.second.thread);
  }
}

}  // namespace

TEST(DetectorOverRandomTraces, AgreesWithTheDefinition) {
  const Arena arena(1 << 26);
  Detector detector;
  detector.init(arena.begin(), arena.bytes());
  std::mt19937_64 random(5);
  unsigned races = 0, uses_after_free = 0, clean = 0;
  for (int round = 0; round < 40'000; ++round) {
    const Trace trace = random_trace(random);
    const Oracle oracle(trace);
    detector.reset();
    bool any = false;
    for (unsigned i = 0; i < trace.size(); ++i) {
      const Race* const race = perform(detector, i, trace[i]);
      ASSERT_EQ(race != nullptr, oracle.races(i)) << "round " << round << "\n"
                                                  << describe(trace, i);
      if (race == nullptr) continue;
      any = true;
      ++(race->kind == Race::Kind::data_race ? races : uses_after_free);
      judge(trace, oracle, i, *race);
      if (testing::Test::HasFailure()) FAIL() << "round " << round << "\n" << describe(trace, i);
    }
    clean += any ? 0 : 1;
    ASSERT_TRUE(detector.complete());
  }
  EXPECT_GT(races, 1000U);
  EXPECT_GT(uses_after_free, 1000U);
  EXPECT_GT(clean, 1000U);
}
