// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <string>

#include "report/reports.h"

namespace thrum::report {
namespace {

const std::string kMap =
    "std::map<std::string, std::vector<std::pair<int, std::function<void (int)>>>, std::less<>>";

TEST(Readable, AShortNameIsAsItIs) {
  EXPECT_EQ(readable("Cache<Mutex>::find (cache.cc:12)"), "Cache<Mutex>::find (cache.cc:12)");
}

TEST(Readable, ALongOneHasNoArgumentsOfTemplates) {
  EXPECT_EQ(readable("Registry<" + kMap + ">::find<" + kMap + "> (registry.h:12)"),
            "Registry<…>::find<…> (registry.h:12)");
  EXPECT_EQ(readable("Value<" + kMap + ">::operator<=> (v.h:1)"), "Value<…>::operator<=> (v.h:1)");
  EXPECT_EQ(readable("Value<" + kMap + ">::operator-><int> (v.h:1)"),
            "Value<…>::operator-><…> (v.h:1)");
}

TEST(Readable, BracketsThatDoNotPairUpAreLeft) {
  const std::string name = std::string(90, 'a') + "> b <";
  EXPECT_EQ(readable(name), name);
}

TEST(Readable, WhatIsStillTooLongHasAGapAndKeepsItsPlace) {
  const std::string text = readable(std::string(800, 'a') + " (file.cpp:12)");
  EXPECT_TRUE(text.starts_with("aaaa")) << text;
  EXPECT_TRUE(text.ends_with("aaaa (file.cpp:12)")) << text;
  EXPECT_NE(text.find(" … "), std::string::npos) << text;
  EXPECT_LT(text.size(), 180u);
}

TEST(Readable, NoCharacterIsCutInTwo) {
  for (std::size_t shift = 0; shift < 3; ++shift) {
    std::string name(shift, 'a');
    while (name.size() < 600) name += "…";
    std::string text = readable(name);
    text.erase(text.find(" … "), std::string(" … ").size());
    while (text.starts_with('a')) text.erase(0, 1);
    while (text.starts_with("…")) text.erase(0, std::string("…").size());
    EXPECT_EQ(text, "") << shift;
  }
}

TEST(Readable, WhatATerminalWouldObeyIsNotInIt) {
  EXPECT_EQ(readable("a\x1b[31m").find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace thrum::report
