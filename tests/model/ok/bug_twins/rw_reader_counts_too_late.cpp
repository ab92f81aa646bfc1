// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/rw_reader_counts_too_late.cpp: it counts itself, then
// looks, and steps back if there is a writer.
#include <atomic>
#include <cstdlib>
#include <thread>

namespace {

std::atomic<int> readers{0};
std::atomic<bool> writing{false};
std::atomic<int> inside{0};

bool start_reading() {
  readers.fetch_add(1);
  if (writing.load()) {
    readers.fetch_sub(1);
    return false;
  }
  return true;
}

}  // namespace

int main() {
  std::thread reader([] {
    if (!start_reading()) return;
    if (inside.load() != 0) std::abort();
    readers.fetch_sub(1);
  });
  std::thread writer([] {
    writing.store(true);
    if (readers.load() == 0) {
      inside.store(1);
      inside.store(0);
    }
    writing.store(false);
  });
  reader.join();
  writer.join();
}
