// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The functions behind the doors. A door is an exported function that has one of their names, in a
// library that is loaded before libc; it calls real.NAME.
//
// Edges
//   [resolved] resolve() -> resolve(): the functions, for whoever did not look them up.
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <sys/time.h>
#include <unistd.h>

#include <ctime>

namespace thrum::interpose {

struct Real {
// NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration
#define THRUM_FUNCTION(result, name, parameters, version) result(*name) parameters;
#include "interpose/functions.def"
#undef THRUM_FUNCTION
};
extern constinit Real real;

/// Finds the real functions, once. To be called before the first use of `real`: a door may be used
/// before any constructor of its library has run.
void resolve() noexcept;

}  // namespace thrum::interpose

/// Defines the door `name`: `THRUM_DOOR(int, sem_wait, sem_t* semaphore) { ... }`. It has a name of
/// its own in C++, so that libc's declaration, with its attributes, is not repeated.
#define THRUM_DOOR(result, name, ...)                                                              \
  extern "C"                                                                                       \
      __attribute__((visibility("default"))) result thrum_door_##name(__VA_ARGS__) __asm__(#name); \
  extern "C" result thrum_door_##name(__VA_ARGS__)
