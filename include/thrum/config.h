// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Attributes only: nothing here changes a layout or the meaning of the code.
#pragma once

#define THRUM_VERSION "0.1.0"

/// Marks what a shared build of the library exports.
#define THRUM_API __attribute__((visibility("default")))

/// Clang's thread-safety analysis (-Wthread-safety): which lock protects what, checked at compile
/// time. Empty elsewhere.
#if defined(__clang__)
#define THRUM_TSA(x) __attribute__((x))
#else
#define THRUM_TSA(x)
#endif

/// Data that may be touched only while `lock` is held: `int n THRUM_GUARDED_BY(lock);`
#define THRUM_GUARDED_BY(lock) THRUM_TSA(guarded_by(lock))
/// A function that may be called only while `lock` is held.
#define THRUM_REQUIRES(...) THRUM_TSA(requires_capability(__VA_ARGS__))
