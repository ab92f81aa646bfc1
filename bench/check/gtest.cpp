// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "body.h"

TEST(Lock, Excludes) { body(); }
