// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "account.h"

void Account::deposit() { ++balance_; }
void Account::deposit_badly() { balance_.store(balance_.load() + 1); }
