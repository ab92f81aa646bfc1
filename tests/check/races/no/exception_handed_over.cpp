// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// An exception that two threads look at: the one that drops it last frees it, in a library that
// counts by atomics of its own.
#include <exception>
#include <stdexcept>
#include <thread>
#include <utility>

char letters[2];

void look(std::exception_ptr pointer, char& letter) {
  try {
    std::rethrow_exception(std::move(pointer));
  } catch (const std::exception& error) {
    letter = *error.what();
  }
}

int main() {
  auto pointer = std::make_exception_ptr(std::runtime_error("no answer"));
  std::thread one([pointer]() mutable { look(std::move(pointer), letters[0]); });
  std::thread two([pointer]() mutable { look(std::move(pointer), letters[1]); });
  pointer = nullptr;
  one.join();
  two.join();
  return letters[0] == 'n' && letters[1] == 'n' ? 0 : 1;
}
