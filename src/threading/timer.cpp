// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges: none. The phase decides who won and publishes nothing; `over` orders the rest.
#include "thrum/timer.h"

#include <atomic>
#include <utility>

#include "thrum/event.h"

namespace thrum {

struct Timer::Shared {
  // Returns whether the caller is the first to decide.
  bool win() noexcept { return !decided.exchange(true, std::memory_order_relaxed); }

  std::atomic<bool> decided{false};  // fires, or is cancelled
  Event cancelled;
  Event over;
};

std::shared_ptr<Timer::Shared> Timer::share() { return std::make_shared<Shared>(); }

Timer::Timer(ThreadOptions options, std::shared_ptr<Shared> shared, Interval interval,
             std::unique_ptr<Body> body)
    : Thread(std::move(options),
             [shared, interval, body = std::move(body)](std::stop_token stop) {
               struct Over {
                 Event& event;
                 ~Over() { event.set(); }
               } const over{shared->over};
               (void)shared->cancelled.wait(Deadline(interval).or_stop(stop));
               // Stopped counts as cancelled: it takes the decision and calls nothing.
               if (shared->win() && !stop.stop_requested()) body->run(std::move(stop));
             }),
      shared_(std::move(shared)) {}

bool Timer::cancel() {
  if (!shared_->win()) return false;
  shared_->cancelled.set();
  shared_->over.set();
  return true;
}

bool Timer::finished() const noexcept { return shared_->over.is_set(); }

}  // namespace thrum
