// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Who finds it made, finds it complete.
#include <mutex>
#include <thread>

int data = 0;
int seen[2];
std::once_flag once;

void use(int i) {
  std::call_once(once, [] { data = 1; });
  seen[i] = data;
}

void first() { use(0); }

void second() { use(1); }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
