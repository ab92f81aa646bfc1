// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The library's end of the side channel (observe.h). Every call is a look at a null pointer where
// nobody observes.
#pragma once

#include "thrum/config.h"
#include "thrum/observe.h"

namespace thrum {

/// Tells who observes this process what an object is called: a lock, a semaphore, an event, which
/// have no room for a name of their own. The name is forgotten where nobody observes.
///
///     thrum::Lock accounts;
///     thrum::name_object(&accounts, "accounts");
///
/// Cost    a load where nobody observes.
THRUM_API void name_object(const void* object, const char* name) noexcept;

/// Where a queue's numbers are.
struct QueueNumbers {
  thrum_count_v1 puts, gets;
  const void* limit;
};

/// Says that a queue begins, and that it ends. For queue.h.
THRUM_API void queue_begins(const void* queue, const char* name,
                            const QueueNumbers& where) noexcept;
THRUM_API void queue_ends(const void* queue) noexcept;

}  // namespace thrum
