// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Who waits for whom, at this moment.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "analysis/collector.h"

namespace thrum::analysis {

/// One thread of a deadlock: what it wants, and what it holds that the one before wants.
struct Link {
  Moment thread;
  std::uint64_t held_site_stack = 0;  // where it took what the one before wants; 0 unknown
};
using Cycle = std::vector<Link>;

/// Reads 32-bit words of a process; returns false if they are not there.
using ReadWords = std::function<bool(std::uint32_t pid, std::uint64_t address, std::uint32_t* words,
                                     std::size_t n)>;

/// Reads the memory of a process that may be read. Stops nobody.
bool read_words(std::uint32_t pid, std::uint64_t address, std::uint32_t* words, std::size_t n);

/// Finds deadlocks by looking again and again.
class WaitGraph {
 public:
  explicit WaitGraph(ReadWords read = read_words) : read_(std::move(read)) {}

  /// Returns the cycles of threads that wait for each other, each once, as soon as it was there
  /// twice in a row. A wait that gives up by itself is not part of one.
  std::vector<Cycle> look(const std::vector<Moment>& moments);

  /// Returns the serials of the threads that must act before this one goes on.
  std::vector<std::uint64_t> holders(const Moment& moment,
                                     const std::vector<Moment>& moments) const;

 private:
  ReadWords read_;
  std::set<std::vector<std::pair<std::uint64_t, std::uint64_t>>> seen_, told_;
};

}  // namespace thrum::analysis
