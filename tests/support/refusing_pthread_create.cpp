// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Linked into a test program with --wrap=pthread_create, this stands between the library and libc's
// function (or a sanitizer's).
#include "support/refusing_pthread_create.h"

#include <pthread.h>
#include <thrum/thread.h>

#include <cerrno>
#include <utility>

namespace {

thread_local int starts_left = -1;  // before the one that fails; negative: none will
thread_local int starts = 0;
thread_local std::function<void()> call_before;

}  // namespace

extern "C" {

// NOLINTBEGIN(bugprone-reserved-identifier): names that the linker's option prescribes
int __real_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                          void* argument);

int __wrap_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                          void* argument) {
  ++starts;
  if (starts_left >= 0 && starts_left-- == 0) {
    if (call_before) call_before();
    return EAGAIN;
  }
  return __real_pthread_create(thread, attributes, run, argument);
}
// NOLINTEND(bugprone-reserved-identifier)

}  // extern "C"

namespace thrum::test {

Refusal::Refusal(int after, std::function<void()> meanwhile) {
  starts_left = after;
  call_before = std::move(meanwhile);
}

Refusal::~Refusal() {
  starts_left = -1;
  call_before = nullptr;
}

bool Refusal::possible() {
  const int before = starts;
  Thread thread;
  thread.start();
  thread.join();
  return starts != before;
}

}  // namespace thrum::test
