// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Linked into a test program with --wrap=pthread_create, this stands between the library and libc's
// function (or a sanitizer's).
#include "support/refusing_pthread_create.h"

#include <pthread.h>
#include <thrum/thread.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

namespace {

thread_local int starts_left = -1;  // before the one that fails; negative: none will
thread_local int starts = 0;
thread_local std::function<void()> call_before;

std::atomic<bool> refuse_by_name{false};
char refused_name[16] = {};  // written before that is true

// Returns whether the caller is the one to be refused.
bool refuse_caller() {
  if (!refuse_by_name.load(std::memory_order_acquire)) return false;
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof name);
  return std::strcmp(name, refused_name) == 0 &&
         refuse_by_name.exchange(false, std::memory_order_relaxed);
}

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
  if (refuse_caller()) return EAGAIN;
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

RefusalTo::RefusalTo(const std::string& name) {
  name.copy(refused_name, sizeof refused_name - 1);
  refuse_by_name.store(true, std::memory_order_release);
}
RefusalTo::~RefusalTo() { refuse_by_name.store(false, std::memory_order_relaxed); }

bool Refusal::possible() {
  const int before = starts;
  Thread thread;
  thread.start();
  thread.join();
  return starts != before;
}

}  // namespace thrum::test
