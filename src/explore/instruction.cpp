// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "explore/instruction.h"

#include <string_view>

namespace thrum::explore {
namespace {

// What follows an opcode. A letter for each of the 256, in rows of 16:
//   .  nothing            m  an operand byte (ModRM), and what that asks for
//   b  one byte           B  an operand byte, and one byte
//   z  four bytes, two with prefix 66                Z  an operand byte, and that
//   w  two bytes          v  z, or eight with REX.W  a  an address of eight bytes
//   e  three bytes        r  four bytes              g  an operand byte; of 0 and 1, b
//   G  the same with z    x  none such
constexpr std::string_view kOneByte =
    "mmmmbzxxmmmmbzxx"   // 00
    "mmmmbzxxmmmmbzxx"   // 10
    "mmmmbzxxmmmmbzxx"   // 20
    "mmmmbzxxmmmmbzxx"   // 30
    "xxxxxxxxxxxxxxxx"   // 40: REX
    "................"   // 50
    "xxxmxxxxzZbB...."   // 60
    "bbbbbbbbbbbbbbbb"   // 70
    "BZxBmmmmmmmmmmmm"   // 80
    "..........x....."   // 90
    "aaaa....bz......"   // A0
    "bbbbbbbbvvvvvvvv"   // B0
    "BBw.xxBZe.w..bx."   // C0
    "mmmmxxx.mmmmmmmm"   // D0
    "bbbbbbbbrrxb...."   // E0
    "x.xx..gG......mm";  // F0
constexpr std::string_view kTwoBytes =
    "mmmmx.....x.xm.B"   // 0F 00
    "mmmmmmmmmmmmmmmm"   // 10
    "mmmmxxxxmmmmmmmm"   // 20
    "......x.xxxxxxxx"   // 30
    "mmmmmmmmmmmmmmmm"   // 40
    "mmmmmmmmmmmmmmmm"   // 50
    "mmmmmmmmmmmmmmmm"   // 60
    "BBBBmmm.mmmmmmmm"   // 70
    "rrrrrrrrrrrrrrrr"   // 80
    "mmmmmmmmmmmmmmmm"   // 90
    "...mBmxx...mBmmm"   // A0
    "mmmmmmmmmmBmmmmm"   // B0
    "mmBmBBBm........"   // C0
    "mmmmmmmmmmmmmmmm"   // D0
    "mmmmmmmmmmmmmmmm"   // E0
    "mmmmmmmmmmmmmmmm";  // F0
static_assert(kOneByte.size() == 256 && kTwoBytes.size() == 256);

class Reader {
 public:
  Reader(const unsigned char* code, std::size_t size) : code_(code), size_(size) {}
  int next() { return at_ < size_ ? code_[at_++] : fail(); }
  int peek(std::size_t ahead = 0) const { return at_ + ahead < size_ ? code_[at_ + ahead] : -1; }
  void skip(std::size_t n) {
    at_ += n;
    if (at_ > size_) fail();
  }
  std::size_t length() const { return failed_ ? 0 : at_; }

 private:
  int fail() {
    failed_ = true;
    return 0;
  }
  const unsigned char* code_;
  std::size_t size_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

struct Operand {
  int kind;  // the middle bits of its byte
  bool is_memory;
};

Operand read_operand(Reader& reader) {
  const int byte = reader.next();
  const int mode = byte >> 6;
  int base = byte & 7;
  if (mode != 3 && base == 4) base = reader.next() & 7;
  if (mode == 1) reader.skip(1);
  if (mode == 2 || (mode == 0 && base == 5)) reader.skip(4);
  return {byte >> 3 & 7, mode != 3};
}

// Vector instructions, C4, C5 and 62: a prefix that names the table of the opcode.
void read_vector(Reader& reader, int prefix) {
  int table = 1;
  if (prefix == 0xc5) {
    reader.skip(1);
  } else {
    table = reader.next() & (prefix == 0xc4 ? 31 : 7);
    reader.skip(prefix == 0xc4 ? 1 : 2);
  }
  const auto opcode = static_cast<unsigned char>(reader.next());
  if (table == 1 && opcode == 0x77) return;
  read_operand(reader);
  if (table == 3 || (table == 1 && kTwoBytes[opcode] == 'B')) reader.skip(1);
}

}  // namespace

Instruction read_instruction(const unsigned char* code, std::size_t size) {
  Reader reader(code, size);
  bool locks = false;
  bool is_short = false;  // prefix 66
  int byte = reader.next();
  for (bool is_prefix = true; is_prefix;) {
    switch (byte) {
      case 0xf0:
        locks = true;
        break;
      case 0x66:
        is_short = true;
        break;
      case 0xf2:
      case 0xf3:
      case 0x26:
      case 0x2e:
      case 0x36:
      case 0x3e:
      case 0x64:
      case 0x65:
      case 0x67:
        break;
      default:
        is_prefix = false;
        continue;
    }
    byte = reader.next();
  }
  bool is_wide = false;  // REX.W
  if (byte >> 4 == 4) {
    is_wide = (byte & 8) != 0;
    byte = reader.next();
  }
  InstructionKind kind = InstructionKind::other;
  Operand operand{};
  if (byte == 0xc4 || byte == 0xc5 || byte == 0x62) {
    read_vector(reader, byte);
    return {reader.length(), kind};
  }
  char form = kOneByte[static_cast<unsigned char>(byte)];
  const bool exchanges = byte == 0x86 || byte == 0x87;
  if (byte == 0x0f) {
    byte = reader.next();
    form = kTwoBytes[static_cast<unsigned char>(byte)];
    if (byte == 0x05) kind = InstructionKind::system_call;
    if (byte == 0x38 || byte == 0x3a) {
      reader.skip(1);
      form = byte == 0x38 ? 'm' : 'B';
    }
  }
  switch (form) {
    case 'm':
    case 'B':
    case 'Z':
    case 'g':
    case 'G':
      operand = read_operand(reader);
      break;
    case 'x':
      return {0, InstructionKind::unknown};
    default:
      break;
  }
  const std::size_t word = is_short && !is_wide ? 2 : 4;
  switch (form) {
    case 'b':
    case 'B':
      reader.skip(1);
      break;
    case 'z':
    case 'Z':
      reader.skip(word);
      break;
    case 'v':
      reader.skip(is_wide ? 8 : word);
      break;
    case 'w':
      reader.skip(2);
      break;
    case 'e':
      reader.skip(3);
      break;
    case 'a':
      reader.skip(8);
      break;
    case 'r':
      reader.skip(4);
      break;
    case 'g':
      if (operand.kind < 2) reader.skip(1);
      break;
    case 'G':
      if (operand.kind < 2) reader.skip(word);
      break;
    default:
      break;
  }
  if ((locks || exchanges) && operand.is_memory) kind = InstructionKind::atomic;
  return {reader.length(), kind};
}

}  // namespace thrum::explore
