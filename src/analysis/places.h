// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "analysis/recording.h"

namespace thrum::analysis {

/// Returns the frame that a reader calls "here": the innermost that is neither libc's nor the
/// standard library's nor, by its name, a lock of the program's own around theirs; else the
/// innermost; null without frames.
const Frame* here(std::span<const Frame> frames);

/// Returns who called what `here` is in from another file, as it may be a library's: the nearest
/// that is neither libc's nor the like; null if nobody did.
const Frame* caller(std::span<const Frame> frames, const Frame& here);

/// Returns `function (file:line)`, with what is known of it; the file without its folders.
std::string text_of(const Frame& frame);

/// Returns a function's name without its parameters.
std::string short_name(std::string_view function);

std::string_view name_of(trace::Kind kind);
/// Returns what is done to a queue, to follow its name: ` (get)`; empty for everything else.
std::string_view verb_of(trace::Kind kind);
/// Returns how a thread ended, in words: `exit code` and the like are the process's.
std::string text_of_end(const Thread& thread);

}  // namespace thrum::analysis
