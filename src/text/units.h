// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Numbers for people.
#pragma once

#include <cstdint>
#include <string>

namespace thrum::text {

/// Returns 1234567 as `1,234,567`.
std::string grouped(std::uint64_t n);
/// Returns 1536 as `1.5 KiB`.
std::string human_bytes(double bytes);
/// Returns 1500 as `1.5 µs`.
std::string human_ns(double ns);

}  // namespace thrum::text
