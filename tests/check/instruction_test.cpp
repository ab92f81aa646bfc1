// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "explore/instruction.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace thrum::explore {
namespace {

struct Case {
  const char* code;  // in hexadecimal; what follows is all nops
  std::size_t length;
  InstructionKind kind = InstructionKind::other;
};

Instruction read(const std::string& code, std::size_t more) {
  std::istringstream words(code);
  std::vector<unsigned char> bytes;
  for (unsigned byte = 0; words >> std::hex >> byte;) {
    bytes.push_back(static_cast<unsigned char>(byte));
  }
  bytes.resize(bytes.size() + more, 0x90);
  return read_instruction(bytes.data(), bytes.size());
}

void expect(std::initializer_list<Case> cases) {
  for (const Case& each : cases) {
    SCOPED_TRACE(each.code);
    const Instruction found = read(each.code, 16);
    EXPECT_EQ(found.length, each.length);
    EXPECT_EQ(found.kind, each.kind);
    EXPECT_EQ(read(each.code, 0).length, each.length);
  }
}

TEST(Instruction, EndsWhereTheNextBegins) {
  expect({{"90", 1},
          {"48 89 f0", 3},                        // mov %rsi,%rax
          {"8b 44 24 08", 4},                     // mov 8(%rsp),%eax
          {"8b 05 01 02 03 04", 6},               // mov disp(%rip),%eax
          {"8b 04 25 01 02 03 04", 7},            // mov address,%eax
          {"8b 84 98 01 02 03 04", 7},            // mov disp(%rax,%rbx,4),%eax
          {"66 b8 01 02", 4},                     // mov $n,%ax
          {"48 b8 01 02 03 04 05 06 07 08", 10},  // movabs $n,%rax
          {"a1 01 02 03 04 05 06 07 08", 9},      // movabs address,%eax
          {"81 7d fc 01 02 03 04", 7},            // cmpl $n,-4(%rbp)
          {"66 81 7d fc 01 02", 6},               // cmpw $n,-4(%rbp)
          {"f6 c1 07", 3},                        // test $n,%cl
          {"f6 d1", 2},                           // not %cl
          {"f7 45 00 01 02 03 04", 7},            // testl $n,0(%rbp)
          {"f3 0f 1e fa", 4},                     // endbr64
          {"0f 84 01 02 03 04", 6},               // je
          {"66 0f 70 c0 1b", 5},                  // pshufd
          {"66 0f 3a 0f c1 08", 6},               // palignr
          {"66 0f 38 00 c1", 5},                  // pshufb
          {"66 2e 0f 1f 84 00 00 00 00 00", 10},  // nopw
          {"c8 10 00 01", 4},                     // enter
          {"c5 f8 77", 3},                        // vzeroupper
          {"c5 f9 70 c0 1b", 5},                  // vpshufd
          {"c4 e2 7d 18 05 01 02 03 04", 9},      // vbroadcastss
          {"c4 e3 7d 39 c0 01", 6},               // vextracti128
          {"62 f1 fe 48 6f 06", 6},               // vmovdqu64 (%rsi),%zmm0
          {"62 f3 fd 48 3b c0 01", 7}});          // vextracti64x4
}

TEST(Instruction, KnowsAtomicsAndSystemCalls) {
  constexpr auto kAtomic = InstructionKind::atomic;
  expect({{"f0 ff 07", 3, kAtomic},        // lock incl (%rdi)
          {"f0 48 0f b1 0a", 5, kAtomic},  // lock cmpxchg %rcx,(%rdx)
          {"f0 0f c1 07", 4, kAtomic},     // lock xadd %eax,(%rdi)
          {"f0 66 0f c1 07", 5, kAtomic},  // lock xadd %ax,(%rdi)
          {"f0 83 0c 24 00", 5, kAtomic},  // lock orl $0,(%rsp)
          {"87 07", 2, kAtomic},           // xchg %eax,(%rdi)
          {"87 c8", 2},                    // xchg %ecx,%eax
          {"48 89 f0 48 83 47 08 01", 3},  // its last byte is no prefix of what follows
          {"0f 05", 2, InstructionKind::system_call}});
}

TEST(Instruction, CutOffOrUnknownHasNoLength) {
  for (const char* const code :
       {"", "f0", "48", "48 8b", "8b 84 98 01 02 03", "c5 f9", "62 f1 fe", "0f"}) {
    EXPECT_EQ(read(code, 0).length, 0U) << code;
  }
  EXPECT_EQ(read("06", 8).kind, InstructionKind::unknown);
}

}  // namespace
}  // namespace thrum::explore
