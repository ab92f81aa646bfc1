// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

class Account {
 public:
  void deposit();
  void deposit_badly();
  int balance() const { return balance_; }

 private:
  std::atomic<int> balance_{0};
};
