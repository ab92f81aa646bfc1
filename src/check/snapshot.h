// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The program's memory as it was at one moment, and how it becomes so again.
//
// Every page is write-protected at that moment. The first write to one faults, and the page is
// copied before it is written: so what has to be put back is known exactly, however rarely a
// program writes it. A page that was written once is not protected again: the next process of the
// same program copies it at once. So a page costs one fault in all, and after the first executions
// there are none. One that no execution of a process has changed is protected again in the next
// process. The memory of a thread is looked at only after executions that had that thread.
#pragma once

#include <cstdint>

namespace thrum::check {

/// Once, in the process whose forks take snapshots.
void prepare_snapshots() noexcept;
/// Remembers what there is now: all but the runtime's own memory, stacks below where they are used,
/// and what of the heap was never given out. `stack_pointer` is the main thread's.
void take_snapshot(const void* stack_pointer) noexcept;
/// Makes memory what it was when the snapshot was taken.
void put_back() noexcept;
/// To be called first for a SIGSEGV. Returns false if it has nothing to do with snapshots.
bool snapshot_fault(const void* address, bool is_write) noexcept;

}  // namespace thrum::check
