// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/lost_wakeup_word_read_again.cpp: the word is read before
// the state.
#include <atomic>
#include <thread>

int main() {
  std::atomic<unsigned> epoch{0};
  std::atomic<bool> ready{false};
  std::thread waiter([&] {
    for (;;) {
      const unsigned seen = epoch.load();
      if (ready.load()) return;
      epoch.wait(seen);
    }
  });
  ready.store(true);
  epoch.fetch_add(1);
  epoch.notify_all();
  waiter.join();
}
