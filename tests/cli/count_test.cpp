// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/tour/count.h"

#include <gtest/gtest.h>

#include <string>

namespace thrum::cli {
namespace {

std::uint64_t words_in(const std::string& text) {
  WordCount count;
  count.add(text);
  return count.counts().words;
}

TEST(WordCount, CountsRunsThatAreNotWhiteSpace) {
  EXPECT_EQ(words_in(""), 0u);
  EXPECT_EQ(words_in("one"), 1u);
  EXPECT_EQ(words_in(" one\ttwo\nthree\vfour\ffive\rsix "), 6u);
}

TEST(WordCount, AsksForSomethingPrintableInAWord) {
  EXPECT_EQ(words_in("\x01\x02 \x7f \xff"), 0u);
  EXPECT_EQ(words_in("a\x01"
                     "b"),
            1u);
  EXPECT_EQ(words_in("\x01"
                     "b"),
            1u);
  EXPECT_EQ(words_in("a\xa0"
                     "b"),
            1u);
}

TEST(WordCount, DoesNotDependOnThePieces) {
  const std::string text = "one two\nthree \x01 x\x01y\n\nend";
  WordCount whole;
  whole.add(text);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    WordCount pieces;
    pieces.add(std::string_view(text).substr(0, cut));
    pieces.add(std::string_view(text).substr(cut));
    EXPECT_EQ(pieces.counts(), whole.counts()) << cut;
  }
  EXPECT_EQ(whole.counts(), (Counts{3, 5, text.size()}));
}

TEST(Sha256, GivesTheStandardsExample) {
  Sha256 sha256;
  sha256.add(std::string_view("a"));
  sha256.add(std::string_view("bc"));
  const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(hex(sha256.finish()), abc);
  sha256.add(std::string_view("abc"));
  EXPECT_EQ(hex(sha256.finish()), abc) << "the second time";
}

TEST(Sha256, OfNothing) {
  EXPECT_EQ(hex(Sha256().finish()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace thrum::cli
