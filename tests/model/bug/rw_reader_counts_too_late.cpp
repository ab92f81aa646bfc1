// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 2
// Class: reader/writer
//
// A reader looks for a writer, and only then counts itself; the writer comes in between.
#include <atomic>
#include <cstdlib>
#include <thread>

namespace {

std::atomic<int> readers{0};
std::atomic<bool> writing{false};
std::atomic<int> inside{0};

bool start_reading() {
  if (writing.load()) return false;
  readers.fetch_add(1);
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
