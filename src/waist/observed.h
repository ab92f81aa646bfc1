// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "thrum/observe.h"
#include "thrum/wait.h"

namespace thrum::waist {

inline bool is_observed() noexcept { return thrum_observe_v1 != nullptr; }

/// What an observer hears of a sleep; only if there is one.
void say_wait_begins(const Word& word, const Deadline& deadline, const WaitingFor& whom) noexcept;
void say_wait_ends() noexcept;

}  // namespace thrum::waist
