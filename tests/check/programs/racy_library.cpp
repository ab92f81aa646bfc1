// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A library whose counter is a race, and a program that has one of its own if told so.
#ifdef LIBRARY
int counted;
void count_up() { ++counted; }
#else
#include <thread>

void count_up();
int own;

int main(int argc, char**) {
  const auto work = [argc] {
    count_up();
    if (argc > 1) ++own;
  };
  std::thread other(work);
  work();
  other.join();
}
#endif
