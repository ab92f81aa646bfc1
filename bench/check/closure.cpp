// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <thrum/check.h>

#include "body.h"

int main() {
  thrum::check::explore([] { body(); });
}
