// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A shared library of the archive needs a source of its own.
