// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
int main(int argc, char**) { return argc > 1 ? 7 : 0; }
