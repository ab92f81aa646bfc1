// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// As much of x86-64's machine code as it takes to go from one instruction to the next.
#pragma once

#include <cstddef>
#include <cstdint>

namespace thrum::explore {

enum class InstructionKind : std::uint8_t { other, atomic, system_call, unknown };
struct Instruction {
  std::size_t length;  // 0: cut off, or none that is known
  InstructionKind kind;
};

/// Reads the instruction that begins at `code`; atomic: one that has a lock prefix and changes
/// memory, or an exchange with memory, which needs none.
Instruction read_instruction(const unsigned char* code, std::size_t size);

}  // namespace thrum::explore
