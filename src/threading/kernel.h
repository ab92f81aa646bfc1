// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What the kernel tells about the threads of this process. Every answer may be "unknown": another
// system, no /proc, a thread that ended meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "thrum/thread.h"

namespace thrum::kernel {

/// Returns whether a thread is ready, running or blocked (in any system call); nothing if unknown.
std::optional<Life> life_of(std::uint32_t native_id);

/// Returns how often a thread was switched until now.
std::optional<Switches> switches_of(std::uint32_t native_id);
/// The same for the calling thread, cheaper.
std::optional<Switches> own_switches() noexcept;

/// Returns the name the kernel has for a thread.
std::string name_of(std::uint32_t native_id);

/// Returns the ids of all threads of this process.
std::vector<std::uint32_t> all_threads();

/// Returns the 32 bits at an address that may be gone; nothing then.
std::optional<std::uint32_t> peek(const void* address) noexcept;
/// Returns the text at an address that may be gone, cut at a sane length.
std::string peek_text(const char* address);

/// Returns the stack of a live thread.
std::optional<StackInfo> stack_of(pthread_t thread);

/// Gives a live thread its name: the first 15 bytes of `name`, cut between UTF-8 characters.
void set_name(pthread_t thread, const std::string& name) noexcept;

}  // namespace thrum::kernel
