// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace thrum::analysis {

/// Returns how long this process had a processor.
std::uint64_t own_cpu_ns();
/// Has as many descriptors as the system gives us: a look from outside needs three for each thread.
void raise_descriptor_limit();

}  // namespace thrum::analysis
