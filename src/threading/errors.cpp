// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/errors.h"

namespace thrum {

void throw_usage_error(const char* message) { throw UsageError(message); }
void throw_shut_down(const char* message) { throw ShutDown(message); }

}  // namespace thrum
