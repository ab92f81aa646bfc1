// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// pthread_once, whose function may leave by an exception. In C, because `cleanup` then needs the
// personality of libgcc_s only; the rest of the runtime lets exceptions pass.
#include <pthread.h>
#include <stdint.h>

int thrum_once_begin(pthread_once_t* once, uint64_t pc);
void thrum_once_end(pthread_once_t* once, int done);
void thrum_once_call(pthread_once_t* once, void (*function)(void), uint64_t pc);

struct call {
  pthread_once_t* once;
  int done;
};

static void end(struct call* call) { thrum_once_end(call->once, call->done); }

void thrum_once_call(pthread_once_t* once, void (*function)(void), uint64_t pc) {
  if (!thrum_once_begin(once, pc)) return;
  struct call call __attribute__((cleanup(end))) = {once, 0};
  function();
  call.done = 1;
}
