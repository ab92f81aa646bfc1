// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Memory is freed while another thread may write to it.
#include <thread>

int* data = new int(0);

void first() { *data = 1; }

void second() { delete data; }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
