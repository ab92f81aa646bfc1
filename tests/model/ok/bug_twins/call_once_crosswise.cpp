// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/call_once_crosswise.cpp: only one needs the other.
#include <mutex>
#include <thread>

namespace {

std::once_flag a;
std::once_flag b;

void nothing() {}
void make_a() { std::call_once(b, nothing); }
void make_b() {}

}  // namespace

int main() {
  std::thread one([] { std::call_once(a, make_a); });
  std::thread two([] { std::call_once(b, make_b); });
  one.join();
  two.join();
}
