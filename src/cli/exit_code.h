// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

namespace thrum::cli {

// 128 and the signal's number when a signal ended it: 130 for Ctrl-C.
inline constexpr int kClean = 0;
inline constexpr int kFoundSomething = 1;
inline constexpr int kUsage = 2;
inline constexpr int kFailed = 3;

}  // namespace thrum::cli
