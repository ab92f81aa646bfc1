// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Each file here adds the cases of one primitive.
#pragma once

#include "harness.h"

namespace bench {

void add_lock_cases(Cases& cases);
void add_semaphore_cases(Cases& cases);
void add_event_cases(Cases& cases);
void add_condition_cases(Cases& cases);
void add_barrier_cases(Cases& cases);
void add_queue_cases(Cases& cases);
void add_thread_cases(Cases& cases);
void add_timer_cases(Cases& cases);
void add_switch_cases(Cases& cases);
void add_idle_cases(Cases& cases);

}  // namespace bench
