// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Has state in the kernel: cannot be put back in place. Of two threads the second finds the file.
#include <fcntl.h>
#include <unistd.h>

#include <cassert>
#include <cstdlib>
#include <mutex>
#include <thread>

int main() {
  std::mutex mutex;
  int opened = 0;
  const auto look = [&] {
    const std::lock_guard guard(mutex);
    const int fd = open("/dev/null", O_RDONLY);
    assert(fd >= 0);
    close(fd);
    ++opened;
  };
  std::thread first(look);
  std::thread second(look);
  first.join();
  second.join();
  assert(opened == 2);
}
