// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/atomicity_check_then_withdraw.cpp: the look and the
// withdrawal are in one critical section.
#include <cstdlib>
#include <mutex>
#include <thread>

namespace {

class Account {
 public:
  bool has(int amount) {
    const std::lock_guard guard(mutex_);
    return balance_ >= amount;
  }
  void withdraw(int amount) {
    const std::lock_guard guard(mutex_);
    balance_ -= amount;
    if (balance_ < 0) std::abort();
  }

 private:
  std::recursive_mutex mutex_;
  int balance_ = 100;

 public:
  void pay(int amount) {
    const std::lock_guard guard(mutex_);
    if (has(amount)) withdraw(amount);
  }
};

}  // namespace

int main() {
  Account account;
  std::thread one([&] { account.pay(70); });
  std::thread two([&] { account.pay(70); });
  one.join();
  two.join();
}
