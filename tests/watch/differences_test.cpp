// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/differences.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>

namespace thrum::analysis {
namespace {

using Bytes = std::vector<unsigned char>;

Bytes bytes_of(const std::vector<std::uint32_t>& words) {
  Bytes bytes(words.size() * sizeof(std::uint32_t));
  if (!bytes.empty()) std::memcpy(bytes.data(), words.data(), bytes.size());
  return bytes;
}

// Words of every length, and steps of every length in both directions.
std::vector<std::uint32_t> some_words(std::size_t n) {
  std::mt19937 random(n);
  std::vector<std::uint32_t> words;
  for (std::size_t i = 0; i < n; ++i) {
    words.push_back(static_cast<std::uint32_t>(random()) >> random() % 32);
  }
  return words;
}

Bytes packed_of(const Bytes& bytes, std::size_t words_of_a_record) {
  static Bytes memory;  // as it was left by the one before
  const auto packed = pack_differences(bytes, words_of_a_record, memory);
  return {packed.begin(), packed.end()};
}

TEST(Differences, ComeBackAsTheyWere) {
  for (const std::size_t record : std::initializer_list<std::size_t>{1, 4, 6, 8, 255}) {
    for (std::size_t n = 0; n < 70; ++n) {
      const Bytes bytes = bytes_of(some_words(n));
      const Bytes packed = packed_of(bytes, record);
      EXPECT_EQ(unpack_differences(packed, bytes.size()), bytes) << record << " " << n;
    }
  }
}

TEST(Differences, OfRecordsThatFollowEachOtherAreShort) {
  std::vector<std::uint32_t> words;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    words.insert(words.end(), {4'000'000'000u + 10'000 * i, 17, 4'242 + i % 3, i % 2});
  }
  const Bytes bytes = bytes_of(words);
  EXPECT_LT(packed_of(bytes, 4).size(), bytes.size() / 3);
}

TEST(Differences, OfAnotherSizeAreNone) {
  const Bytes bytes = bytes_of(some_words(20));
  const Bytes packed = packed_of(bytes, 4);
  for (std::size_t size = 0; size < 2 * bytes.size(); ++size) {
    EXPECT_EQ(unpack_differences(packed, size).has_value(), size == bytes.size()) << size;
  }
  EXPECT_FALSE(unpack_differences({}, 0));
  EXPECT_FALSE(unpack_differences(packed, std::size_t{1} << 40));
}

TEST(Differences, ThatWereCutOffAreNone) {
  const Bytes bytes = bytes_of(some_words(20));
  Bytes packed = packed_of(bytes, 4);
  while (!packed.empty()) {
    packed.pop_back();
    EXPECT_FALSE(unpack_differences(packed, bytes.size())) << packed.size();
  }
}

TEST(Differences, AreOfWholeWordsAndOfRecordsThatHaveSome) {
  EXPECT_TRUE(packed_of(Bytes(7), 1).empty());
  EXPECT_TRUE(packed_of(Bytes(8), 0).empty());
  EXPECT_TRUE(packed_of(Bytes(8), 256).empty());
  EXPECT_FALSE(unpack_differences(Bytes{0, 0}, 4));  // of records without a word
}

}  // namespace
}  // namespace thrum::analysis
