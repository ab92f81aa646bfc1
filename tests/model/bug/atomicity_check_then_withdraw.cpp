// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: atomicity violation
//
// The balance is looked at under the lock, and reduced under the lock, but not under the same one.
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
