// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <thrum/check.h>

#include <thread>

#include "account.h"

TEST(Account, KeepsAll) {
  thrum::check::explore([] {
    Account account;
    std::thread other([&] { account.deposit(); });
    account.deposit();
    other.join();
    EXPECT_EQ(account.balance(), 2);
  });
}

TEST(Account, LosesNone) {
  thrum::check::explore([] {
    Account account;
    std::thread other([&] { account.deposit_badly(); });
    account.deposit_badly();
    other.join();
    EXPECT_EQ(account.balance(), 2);
  });
}
