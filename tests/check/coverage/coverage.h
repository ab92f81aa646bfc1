// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Each program here is a list of cases: a part of C++ or pthread used right, or with the mistake
// that only the order of the threads shows. `PROGRAM list` prints them, `PROGRAM CASE right|wrong`
// runs one.
#pragma once
#undef NDEBUG  // the mistakes are found by assert
#include <assert.h>
#include <stdio.h>
#include <string.h>

struct Case {
  const char* name;
  const char* finds;  // what thrum check calls the mistake, "this or that"
  void (*run)(int wrong);
};

static int run_case(int argc, char** argv, const struct Case* cases, int count) {
  for (int i = 0; i < count; ++i) {
    if (argc == 2) printf("%s: %s\n", cases[i].name, cases[i].finds);
    if (argc != 3 || strcmp(argv[1], cases[i].name) != 0) continue;
    cases[i].run(strcmp(argv[2], "wrong") == 0);
    return 0;
  }
  return argc == 2 ? 0 : 2;
}
#define RUN_CASES(cases)                                                           \
  int main(int argc, char** argv) {                                                \
    return run_case(argc, argv, cases, (int)(sizeof(cases) / sizeof((cases)[0]))); \
  }
