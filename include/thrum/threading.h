// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Everything: Python's threading and queue modules, in C++.
#pragma once

#include "thrum/barrier.h"
#include "thrum/condition.h"
#include "thrum/deadline.h"
#include "thrum/errors.h"
#include "thrum/event.h"
#include "thrum/group.h"
#include "thrum/local.h"
#include "thrum/lock.h"
#include "thrum/observed.h"
#include "thrum/queue.h"
#include "thrum/semaphore.h"
#include "thrum/thread.h"
#include "thrum/timer.h"
