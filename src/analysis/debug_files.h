// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <elfutils/libdwfl.h>

#include <string>

namespace thrum::analysis {

/// Opens a file that is a regular one: what a program says it has mapped may be a pipe, which to
/// open would take for ever. Returns -1 if it is none, or not to be read.
int open_regular(const std::string& path);

/// Finds the separate debug information of a module as libdw's own search does, for libdw; but
/// libdw, before it gives up, loads a client for servers of such files, curl and what that needs,
/// which takes longer than all the rest. It is asked only where the user has named a server.
int find_debug_file(Dwfl_Module* module, void** user, const char* name, Dwarf_Addr base,
                    const char* file, const char* link, GElf_Word crc, char** found);

}  // namespace thrum::analysis
