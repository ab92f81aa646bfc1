// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
int main() {}
