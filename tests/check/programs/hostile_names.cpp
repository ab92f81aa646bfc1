// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What a program can say is made to harm who shows it.
#include <pthread.h>
#include <thrum/check.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

int main() {
  std::thread([] {
    pthread_setname_np(pthread_self(), "<img src=x>");
    thrum::check::note("</script><img src=x onerror=alert(1)>\n\x1b[2J");
  }).join();
  std::fputs("</script><img src=x onerror=alert(1)>\n", stderr);
  std::exit(1);
}
