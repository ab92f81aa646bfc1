// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Which sanitizer this is built with: some cannot do what a test needs.
#pragma once

namespace thrum::test {

#if defined(__has_feature)
#define THRUM_TEST_HAS_FEATURE(feature) __has_feature(feature)
#else
#define THRUM_TEST_HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || THRUM_TEST_HAS_FEATURE(address_sanitizer)
inline constexpr bool address_sanitizer = true;
#else
inline constexpr bool address_sanitizer = false;
#endif

#if defined(__SANITIZE_THREAD__) || THRUM_TEST_HAS_FEATURE(thread_sanitizer)
inline constexpr bool thread_sanitizer = true;
#else
inline constexpr bool thread_sanitizer = false;
#endif

#undef THRUM_TEST_HAS_FEATURE

}  // namespace thrum::test
