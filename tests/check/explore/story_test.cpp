// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "explore/story.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "explore/report.h"
#include "text/terminal.h"

namespace thrum::explore {
namespace {

using check::Outcome;

Story story_of(Outcome outcome) {
  Execution execution;
  execution.result.outcome = outcome;
  return tell(execution);
}

bool is_last_resort(Outcome outcome) {
  return outcome == Outcome::running || outcome == Outcome::more_donors ||
         outcome == Outcome::kernel_state;
}

constexpr auto kLast = static_cast<unsigned>(Outcome::unsupported);

TEST(Story, EveryOutcomeHasAVerdictOfItsOwn) {
  std::set<std::string> verdicts;
  unsigned others = 0;
  for (unsigned i = 0; i <= kLast; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    const std::string verdict = story_of(outcome).verdict;
    EXPECT_GT(verdict.size(), 3U) << i;
    if (is_last_resort(outcome)) {
      EXPECT_EQ(verdict, "no verdict") << i;
      ++others;
    } else {
      EXPECT_TRUE(verdicts.insert(verdict).second) << verdict;
    }
  }
  EXPECT_EQ(verdicts.size() + others, kLast + 1);
}

// Red is a finding, green is an execution that was seen to its good end, and nothing else is.
TEST(Story, TheColourIsThatOfTheVerdict) {
  for (unsigned i = 0; i <= kLast; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    const Story story = story_of(outcome);
    const bool is_finding = check::is_finding(outcome), is_clean = outcome == Outcome::clean;
    const std::string line = headline(story).front();
    EXPECT_EQ(line.find(text::kRed) != std::string::npos, is_finding) << i;
    EXPECT_EQ(line.find(text::kGreen) != std::string::npos, is_clean) << i;
    const char* const end = is_finding ? "\"end\":\"finding\""
                            : is_clean ? "\"end\":\"clean\""
                                       : "\"end\":\"unknown\"";
    EXPECT_NE(json(story, {}).find(end), std::string::npos) << i;
  }
}

}  // namespace
}  // namespace thrum::explore
