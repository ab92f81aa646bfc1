// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
int golden(int argc);

int main(int argc, char** argv) {
  (void)argv;
  return golden(argc);
}
