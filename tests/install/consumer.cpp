// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What somebody outside writes: headers, threads, a stop token and an exception across the border
// of the library. It is compiled with warnings as errors, and warns by thrum's own set: if that
// set reached its users, it would not compile.
#include <cstdio>

#include "thrum/threading.h"

int main() {
  thrum::Queue<long> queue;
  thrum::Thread producer([&queue] {
    for (int i = 1; i <= 4; ++i) queue.put(i);
    queue.shutdown();
  });
  producer.start();

  long sum = 0;
  for (long item : queue) sum += item;
  producer.join();

  const double warned = sum;  // -Wconversion
  {
    const int sum = 0;  // -Wshadow
    (void)sum;
  }

  try {
    thrum::Lock().release();
  } catch (const thrum::UsageError& error) {
    std::printf("%.0f; %s\n", warned, error.what());
    return warned == 10 ? 0 : 1;
  }
  return 1;
}
