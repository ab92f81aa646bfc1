// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/wait.h"

#include "waist/observed.h"
#include "waist/self.h"
#include "waist/sleep.h"

namespace thrum {

Wake wait(const Word& word, std::uint32_t expected, const Deadline& deadline,
          WaitingFor& what) noexcept {
  // relaxed: the platform compares again, and the caller loads with acquire
  if (word.load(std::memory_order_relaxed) != expected) return Wake::changed;
  if (deadline.is_poll()) return Wake::timeout;
  if (deadline.stop().stop_requested()) return Wake::stopped;
  waist::Node& me = waist::this_node();
  waist::publish(me, what);
  const bool observed = waist::is_observed();
  if (observed) [[unlikely]]
    waist::say_wait_begins(word, deadline, what);
  const Wake why = waist::sleep(word, expected, deadline);
  if (observed) [[unlikely]]
    waist::say_wait_ends();
  waist::retract(me);
  return why;
}

namespace waist {

bool reap(pthread_t thread, WaitingFor& what) noexcept {
  Node& me = this_node();
  publish(me, what);
  const int error = ::pthread_join(thread, nullptr);
  retract(me);
  return error == 0;
}

}  // namespace waist
}  // namespace thrum
