// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What this project's library says of itself (thrum/observe.h): in a program that uses it, its
// waits have the object and the name that the user knows, not a futex.
#include <cstddef>
#include <cstring>
#include <utility>

#include "thrum/observe.h"
#include "watch/hooks.h"

namespace thrum::watch {
namespace {

using trace::Event;
using trace::Type;

constexpr std::uint64_t kMixer = 0x9E3779B97F4A7C15u;
constexpr std::uint32_t kLockHolder = 0x3fffffff;

Kind kind_of(std::uint32_t said) noexcept {
  switch (said) {
    case THRUM_LOCK_V1:
    case THRUM_RLOCK_V1:
      return Kind::lock;
    case THRUM_SEMAPHORE_V1:
      return Kind::semaphore;
    case THRUM_EVENT_V1:
      return Kind::event;
    case THRUM_CONDITION_V1:
      return Kind::condition;
    case THRUM_BARRIER_V1:
      return Kind::barrier;
    case THRUM_QUEUE_GET_V1:
      return Kind::queue_get;
    case THRUM_QUEUE_PUT_V1:
      return Kind::queue_put;
    case THRUM_QUEUE_JOIN_V1:
      return Kind::queue_join;
    case THRUM_THREAD_V1:
      return Kind::join;
    case THRUM_GROUP_V1:
      return Kind::group;
    case THRUM_TIMER_V1:
      return Kind::timer;
    default:
      return Kind::futex;
  }
}

void put_bytes(Local& me, const void* bytes, std::size_t size) noexcept {
  for (std::size_t at = 0; at < size; at += sizeof(Event)) {
    Event raw{};
    const std::size_t rest = size - at;
    std::memcpy(&raw, static_cast<const char*>(bytes) + at, rest < sizeof raw ? rest : sizeof raw);
    put(me, raw);
  }
}

// Writes an object's name; if it is not new, once for each as long as a thread has few.
void write_name(Local& me, const void* object, const char* name, bool is_new) noexcept {
  const std::size_t size = name == nullptr ? 0 : strnlen(name, trace::kMaxNameBytes);
  if (size == 0) return;
  std::uint64_t key = number(object) * kMixer;
  for (std::size_t i = 0; i < size; ++i) {
    key = (key ^ static_cast<unsigned char>(name[i])) * kMixer;
  }
  key |= 1;
  std::uint64_t& written = me.names[key >> 60];
  if (written == key && !is_new) return;
  const std::uint64_t events = 1 + (size + sizeof(Event) - 1) / sizeof(Event);
  const Busy busy(me);
  if (!busy || (me.head + events > me.limit && !make_room(me, events))) return;
  written = key;
  put(me, {when_type(now() - shared->header.origin, Type::named),
           trace::pack(number(object), Kind::none), 0, size});
  put_bytes(me, name, size);
  publish(me);
}

void write_queue(Local& me, const thrum_observation_v1& said) noexcept {
  const Busy busy(me);
  if (!busy || (me.head + 2 > me.limit && !make_room(me, 2))) return;
  const trace::Counts counts{{number(said.puts.at), said.puts.position, said.puts.numbers},
                             {number(said.gets.at), said.gets.position, said.gets.numbers}};
  put(me, {when_type(now() - shared->header.origin, Type::queue_new),
           trace::pack(number(said.object), Kind::queue_get, trace::kOurs), 0, number(said.limit)});
  put_bytes(me, &counts, sizeof counts);
  publish(me);
}

void wait_begins(Local& me, const thrum_observation_v1& said, std::uint64_t site) noexcept {
  write_name(me, said.object, said.name, false);
  const Kind kind = kind_of(said.kind);
  std::uint64_t argument = number(said.word);
  if (kind == Kind::lock || kind == Kind::futex) {
    std::uint32_t word = 0;
    __atomic_load(static_cast<const std::uint32_t*>(said.word), &word, __ATOMIC_RELAXED);
    argument = kind == Kind::lock ? word & kLockHolder : word;
  }
  const std::uint8_t timed = said.timed != 0 ? trace::kTimed : std::uint8_t{0};
  const std::uint8_t ours = kind == Kind::futex ? std::uint8_t{0} : trace::kOurs;
  const void* const object = kind == Kind::lock || kind == Kind::futex ? said.word : said.object;
  me.said_wait = trace::pack(number(object), kind, static_cast<std::uint8_t>(timed | ours));
  me.said_site = begin_wait(me, me.said_wait, site, argument);
}

}  // namespace
}  // namespace thrum::watch

extern "C" __attribute__((visibility("default"))) void thrum_observe_v1(
    const thrum_observation_v1* said) {
  using namespace thrum::watch;
  Local* const me = enter();
  if (me == nullptr || said->size < sizeof *said) return;
  const KeepErrno keep;
  switch (said->saying) {
    case THRUM_WAIT_BEGINS_V1:
      if (me->said_wait == 0) wait_begins(*me, *said, THRUM_SITE());
      break;
    case THRUM_WAIT_ENDS_V1:
      if (me->said_wait != 0) end_wait(*me, std::exchange(me->said_wait, 0), me->said_site, 0);
      break;
    case THRUM_QUEUE_BEGINS_V1:
      write_queue(*me, *said);
      write_name(*me, said->object, said->name, true);
      break;
    case THRUM_QUEUE_ENDS_V1:
      ended(*me, said->object);
      break;
    case THRUM_NAMED_V1:
      write_name(*me, said->object, said->name, true);
      break;
    default:
      break;
  }
}
