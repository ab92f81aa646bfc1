// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <span>

#include "analysis/wait_graph.h"

namespace thrum::analysis {

/// What a reader calls a thread of a deadlock, and what it wants.
struct Described {
  std::uint32_t tid = 0;
  std::string name{}, object{};
  std::vector<Frame> wants_at{}, took_at{};  ///< where; empty if it is not known
};

/// Returns a deadlock as recordings and reports have it.
Json deadlock_alarm(const Cycle& cycle, std::uint64_t ns,
                    const std::function<Described(const Link&)>& describe);

}  // namespace thrum::analysis
