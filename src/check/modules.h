// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Which file an address comes from.
#pragma once

#include <cstdint>

namespace thrum::check {

/// Reads the list of files that are mapped, into the shared mapping. Again after a dlopen.
void read_modules() noexcept;
/// Is it an address of the runtime itself?
bool is_runtime(std::uint64_t address) noexcept;
/// Is it an address in a file compiled with -fsanitize=thread?
bool is_instrumented(std::uint64_t address) noexcept;
/// Is it one in a file whose races are no findings (Job::suppressed)?
bool is_suppressed(std::uint64_t address) noexcept;
/// The files in which addresses were found last: mostly the program and a library.
struct Found {
  std::uint64_t base, begin, bytes;
};
extern constinit Found last_found[2];
std::uint64_t find_relative(std::uint64_t address) noexcept;
/// Returns the address without what may differ between processes.
inline std::uint64_t relative(std::uint64_t address) noexcept {
  for (const Found& found : last_found) {
    if (address - found.begin < found.bytes) return address - found.base;
  }
  return address == 0 ? 0 : find_relative(address);
}

}  // namespace thrum::check
