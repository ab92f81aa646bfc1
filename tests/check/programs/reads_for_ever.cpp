// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A thread blocks where nobody controls it.
#include <unistd.h>

#include <thread>

int main() {
  int ends[2];
  if (pipe(ends) != 0) return 1;
  std::thread reader([&] {
    char c = 0;
    (void)!read(ends[0], &c, 1);
  });
  reader.join();
}
