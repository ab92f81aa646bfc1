// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A thread ends while its Thread is destroyed and a handle joins.
#include <thrum/thread.h>

#include <cstdlib>
#include <memory>

int main() {
  auto worker = std::make_unique<thrum::Thread>([] {});
  worker->start();
  const thrum::ThreadHandle handle = *worker;
  thrum::Thread joiner([handle] { handle.join(); });
  joiner.start();
  worker.reset();
  joiner.join();
  if (handle.is_alive()) std::abort();
}
