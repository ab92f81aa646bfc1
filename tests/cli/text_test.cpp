// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <string>

#include "cli/tour/report.h"
#include "text/terminal.h"
#include "text/units.h"

namespace thrum::cli {

using namespace text;

namespace {

TEST(Printable, EscapesWhatWouldBreakALineOrIsNoUtf8) {
  EXPECT_EQ(printable("plain, ü, 日本"), "plain, ü, 日本");
  EXPECT_EQ(printable("a\nb\tc\\d\re\x1b"), "a\\nb\\tc\\\\d\\x0de\\x1b");
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\xc0\xaf \xed\xa0\x80 \xc2\x85"), "\\xc0\\xaf \\xed\\xa0\\x80 \\xc2\\x85");
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
}

TEST(Wrap, BreaksAtSpaces) {
  EXPECT_EQ(wrap("one two three", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrap("muchtoolong a", 4), (std::vector<std::string>{"muchtoolong", "a"}));
  EXPECT_EQ(wrap("", 4), (std::vector<std::string>{""}));
  EXPECT_EQ(wrap(ink(kBold, "one") + " two", 7).size(), 1u) << "ink takes no room";
}

TEST(Fit, FillsAndCuts) {
  EXPECT_EQ(fit("ü", 3), "ü  ");
  EXPECT_EQ(columns_of(fit("too long", 5)), 5u);
  EXPECT_EQ(columns_of(fit("too long", 0)), 0u);
}

TEST(Bar, IsAsLongAsItsShare) {
  EXPECT_EQ(bar(0, 10), "");
  EXPECT_EQ(columns_of(bar(0.5, 10)), 5u);
  EXPECT_EQ(columns_of(bar(2, 10)), 10u);
  EXPECT_EQ(columns_of(bar(-1, 10)), 0u);
}

TEST(Terminal, RendersInkOrNothing) {
  Terminal terminal;
  EXPECT_EQ(terminal.render(ink(kGreen, "✓") + " 3 µs"), "+ 3 us");
  terminal.utf8 = true;
  EXPECT_EQ(terminal.render(ink(kGreen, "✓") + " 3 µs"), "✓ 3 µs");
  terminal.colour = true;
  EXPECT_EQ(terminal.render(ink(kGreen, "✓")), "\x1b[32m✓\x1b[0m");
}

TEST(Units, HaveThreeDigits) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(8 << 20), "8 MiB");
  EXPECT_EQ(human_ns(999.6), "1 µs");
  EXPECT_EQ(human_ns(81'100), "81.1 µs");
  EXPECT_EQ(human_ns(2.5e9), "2.5 s");
}

TEST(Expand, PutsFactsInThePlaceOfTheirNames) {
  const Facts facts{{"size_bytes", 2048}, {"native_id", 12345}, {"n", 12345}, {"yes", true}};
  const auto plain = [](std::string value) { return value; };
  EXPECT_EQ(expand("{size_bytes}, {native_id}, {n}, {yes}", facts, plain),
            "2 KiB, 12345, 12,345, true");
  EXPECT_THROW(expand("{unknown}", facts, plain), std::logic_error);
}

}  // namespace
}  // namespace thrum::cli
