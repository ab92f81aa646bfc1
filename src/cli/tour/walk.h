// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace thrum::cli {

/// What could not be done with a path, in words.
struct Problem {
  std::string path;  ///< below the root, as FoundFile::path; complete once it is reported
  std::string why;

  bool operator==(const Problem&) const = default;
};

/// Returns the system's words for an errno.
std::string words_for(int error);

/// A regular file that a walk found.
struct FoundFile {
  std::string path;  ///< below the root, as `folder/file`; empty: the root itself is a file
  std::uint64_t bytes = 0;
};

/// What a walk met besides files.
struct WalkCounts {
  std::uint64_t folders = 0;
  std::uint64_t symlinks = 0;  ///< not followed
  std::uint64_t specials = 0;  ///< FIFOs, sockets, devices: not opened
  std::uint64_t excluded = 0;  ///< left out by name
};

/// What a walk tells while it goes on. `file` returns whether to go on.
struct WalkEvents {
  std::function<bool(FoundFile)> file;
  std::function<void(Problem)> problem;
};

/// Walks everything below `root`, in no particular order. A root that is a symbolic link is
/// followed, no other is. Entries named as one of `exclude` are left out.
WalkCounts walk(const std::string& root, const std::vector<std::string>& exclude,
                const WalkEvents& events, const std::stop_token& stop);

/// Returns the path of what a walk found.
std::string below(const std::string& root, const std::string& path);

}  // namespace thrum::cli
