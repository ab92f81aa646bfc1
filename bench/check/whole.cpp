// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "body.h"

int main() { body(); }
