// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/differences.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace thrum::analysis {
namespace {

using Word = std::uint32_t;

constexpr std::size_t kMostWords = 255;  // of a record: one byte says how many
constexpr std::size_t kTogether = 4;     // words behind one byte of their lengths
constexpr int kBitsOfALength = 2;
constexpr std::array<std::size_t, 4> kLengths{0, 1, 2, 4};

// Four words at once: one register of every processor that this runs on.
using Words = Word __attribute__((vector_size(kTogether * sizeof(Word))));
using Signs = std::int32_t __attribute__((vector_size(kTogether * sizeof(Word))));

// A small difference is a small number, whatever its sign.
Words folded(Words difference) {
  return difference << 1 ^ reinterpret_cast<Words>(reinterpret_cast<Signs>(difference) >> 31);
}
Word unfolded(Word number) { return number >> 1 ^ ((number & 1) != 0 ? ~Word{0} : Word{0}); }

// Which of kLengths a number needs. What is true is -1.
Words codes_of(Words number) {
  return -reinterpret_cast<Words>((number != 0) + ((number >> 8) != 0) + ((number >> 16) != 0));
}

Word word_at(const unsigned char* bytes, std::size_t index) {
  Word word = 0;
  std::memcpy(&word, bytes + index * sizeof word, sizeof word);
  return word;
}

}  // namespace

std::span<const unsigned char> pack_differences(std::span<const unsigned char> bytes,
                                                std::size_t words_of_a_record,
                                                std::vector<unsigned char>& into) {
  const std::size_t n = bytes.size() / sizeof(Word);
  if (words_of_a_record == 0 || words_of_a_record > kMostWords || bytes.size() % sizeof(Word) != 0)
    return {};
  // A word is written with all its bytes; what was too much is written over by the next.
  const std::size_t most = 1 + bytes.size() + n / kTogether + 1 + sizeof(Words);
  if (into.size() < most) into.resize(most);
  unsigned char* const packed = into.data();
  packed[0] = static_cast<unsigned char>(words_of_a_record);
  std::size_t end = 1;
  const auto write = [&](Words numbers, std::size_t count) {
    const Words codes = codes_of(numbers);
    const std::size_t lengths = end++;
    Word together = 0;
    for (std::size_t place = 0; place < count; ++place) {
      const Word number = numbers[place];
      std::memcpy(packed + end, &number, sizeof number);
      end += kLengths[codes[place]];
      together |= codes[place] << (kBitsOfALength * place);
    }
    packed[lengths] = static_cast<unsigned char>(together);
  };
  for (std::size_t i = 0; i < n; i += kTogether) {
    Words now{}, before{};
    if (i >= words_of_a_record && n - i >= kTogether) {
      std::memcpy(&now, bytes.data() + i * sizeof(Word), sizeof now);
      std::memcpy(&before, bytes.data() + (i - words_of_a_record) * sizeof(Word), sizeof before);
      write(folded(now - before), kTogether);  // a constant: without a loop
      continue;
    }
    const std::size_t count = std::min(kTogether, n - i);
    for (std::size_t place = 0; place < count; ++place) {
      now[place] = word_at(bytes.data(), i + place);
      if (i + place >= words_of_a_record)
        before[place] = word_at(bytes.data(), i + place - words_of_a_record);
    }
    write(folded(now - before), count);
  }
  return {packed, end};
}

std::optional<std::vector<unsigned char>> unpack_differences(std::span<const unsigned char> packed,
                                                             std::size_t size) {
  constexpr std::size_t kBytesOfAGroup = kTogether * sizeof(Word);
  // Who says more than all differences could be wants memory.
  if (packed.empty() || packed[0] == 0 || size % sizeof(Word) != 0 ||
      size / kBytesOfAGroup > packed.size()) {
    return {};
  }
  const std::size_t record = packed[0], n = size / sizeof(Word);
  std::vector<unsigned char> bytes(size);
  std::size_t at = 1;
  unsigned lengths = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t place = i % kTogether;
    if (place == 0) {
      if (at == packed.size()) return {};
      lengths = packed[at++];
    }
    const std::size_t length = kLengths[lengths >> (kBitsOfALength * place) & 3];
    if (packed.size() - at < length) return {};
    Word number = 0;
    std::memcpy(&number, packed.data() + at, length);
    at += length;
    const Word before = i < record ? 0 : word_at(bytes.data(), i - record);
    const Word word = unfolded(number) + before;
    std::memcpy(bytes.data() + i * sizeof word, &word, sizeof word);
  }
  if (at != packed.size()) return {};
  return bytes;
}

}  // namespace thrum::analysis
