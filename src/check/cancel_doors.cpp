// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Cancellation of threads. One that is asked to end does so at its next point of cancellation: the
// waits of POSIX, a sleep, pthread_testcancel(). It ends as by pthread_exit().
#include "check/doors.h"

namespace thrum::check {
namespace {

// Who cancels is ordered before what the cancelled does about it.
const void* cancellation_of(const Thread& thread) noexcept { return &thread.cancel_asked; }

}  // namespace

void test_cancel() {
  if (!is_cancelled()) return;
  Thread& me = self();
  acquired(cancellation_of(me), 0);
  me.cancelled = me.cancellable = false;
  me.cancel_disabled = true;  // its handlers are not cancelled
  exit_thread(PTHREAD_CANCELED);
}

THRUM_DOOR(int, pthread_cancel, pthread_t handle) {
  if (!controlled()) return libc().pthread_cancel(handle);
  const Pc pc = THRUM_CALLER();
  Thread* const thread = find_thread(handle);
  if (thread == nullptr) return ESRCH;
  point(Op::cancel, cancellation_of(*thread), pc);
  if (thread->finished) return 0;
  released(cancellation_of(*thread), pc);
  thread->cancel_asked = true;
  progress();
  if (thread->cancel_disabled) return 0;
  if (thread->cancel_at_once) {
    finish(Outcome::unsupported, "pthread_cancel of a thread with asynchronous cancellation", 0,
           pc);
  }
  if (!thread->cancellable || thread->timed_out || thread->op == Op::relock) return 0;
  thread->cancelled = true;
  thread->gate = nullptr;
  // It wakes as by a notification, but takes none: who waits on a condition locks the mutex first.
  if (thread->op == Op::condition_blocked) {
    thread->op = Op::relock;
    thread->deadline = kNever;
  }
  return 0;
}
THRUM_DOOR(void, pthread_testcancel, void) {
  if (!controlled()) return libc().pthread_testcancel();
  if (!is_cancelled()) {  // a loop of these waits for somebody
    self().yielded = true;
    point(Op::yield, nullptr, THRUM_CALLER());
  }
  test_cancel();
}
THRUM_DOOR(int, pthread_setcancelstate, int state, int* before) {
  if (!controlled()) return libc().pthread_setcancelstate(state, before);
  if (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE) return EINVAL;
  Thread& me = self();
  if (before != nullptr) {
    *before = me.cancel_disabled ? PTHREAD_CANCEL_DISABLE : PTHREAD_CANCEL_ENABLE;
  }
  me.cancel_disabled = state == PTHREAD_CANCEL_DISABLE;
  if (me.cancel_at_once) test_cancel();
  return 0;
}
THRUM_DOOR(int, pthread_setcanceltype, int type, int* before) {
  if (!controlled()) return libc().pthread_setcanceltype(type, before);
  if (type != PTHREAD_CANCEL_DEFERRED && type != PTHREAD_CANCEL_ASYNCHRONOUS) return EINVAL;
  Thread& me = self();
  if (before != nullptr) {
    *before = me.cancel_at_once ? PTHREAD_CANCEL_ASYNCHRONOUS : PTHREAD_CANCEL_DEFERRED;
  }
  me.cancel_at_once = type == PTHREAD_CANCEL_ASYNCHRONOUS;
  if (me.cancel_at_once) test_cancel();
  return 0;
}

}  // namespace thrum::check
