// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/observed.h"

#include "thrum/wait.h"
#include "waist/observed.h"

namespace thrum {
namespace {

constexpr bool are_same(Waitable ours, thrum_kind_v1 theirs) {
  return static_cast<int>(ours) == static_cast<int>(theirs);
}
static_assert(are_same(Waitable::word, THRUM_WORD_V1) && are_same(Waitable::lock, THRUM_LOCK_V1) &&
              are_same(Waitable::rlock, THRUM_RLOCK_V1) &&
              are_same(Waitable::semaphore, THRUM_SEMAPHORE_V1) &&
              are_same(Waitable::event, THRUM_EVENT_V1) &&
              are_same(Waitable::condition, THRUM_CONDITION_V1) &&
              are_same(Waitable::barrier, THRUM_BARRIER_V1) &&
              are_same(Waitable::queue_get, THRUM_QUEUE_GET_V1) &&
              are_same(Waitable::queue_put, THRUM_QUEUE_PUT_V1) &&
              are_same(Waitable::queue_join, THRUM_QUEUE_JOIN_V1) &&
              are_same(Waitable::thread, THRUM_THREAD_V1) &&
              are_same(Waitable::group, THRUM_GROUP_V1) &&
              are_same(Waitable::timer, THRUM_TIMER_V1));

void say(thrum_saying_v1 saying, thrum_observation_v1 what) noexcept {
  what.size = sizeof what;
  what.saying = static_cast<std::uint32_t>(saying);
  thrum_observe_v1(&what);
}

}  // namespace

void name_object(const void* object, const char* name) noexcept {
  if (thrum_observe_v1 == nullptr || name == nullptr) return;
  thrum_observation_v1 what{};
  what.object = object;
  what.name = name;
  say(THRUM_NAMED_V1, what);
}

void queue_begins(const void* queue, const char* name, const QueueNumbers& where) noexcept {
  if (thrum_observe_v1 == nullptr) return;
  thrum_observation_v1 what{};
  what.object = queue;
  what.name = name;
  what.puts = where.puts;
  what.gets = where.gets;
  what.limit = where.limit;
  say(THRUM_QUEUE_BEGINS_V1, what);
}

void queue_ends(const void* queue) noexcept {
  if (thrum_observe_v1 == nullptr) return;
  thrum_observation_v1 what{};
  what.object = queue;
  say(THRUM_QUEUE_ENDS_V1, what);
}

namespace waist {

void say_wait_begins(const Word& word, const Deadline& deadline, const WaitingFor& whom) noexcept {
  thrum_observation_v1 what{};
  what.kind = static_cast<std::uint32_t>(whom.kind);
  what.timed = deadline.is_forever() ? 0 : 1;
  what.object = whom.object;
  what.word = &word;
  what.name = whom.name;
  say(THRUM_WAIT_BEGINS_V1, what);
}

void say_wait_ends() noexcept { say(THRUM_WAIT_ENDS_V1, {}); }

}  // namespace waist
}  // namespace thrum
