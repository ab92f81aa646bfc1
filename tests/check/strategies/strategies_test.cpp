// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>

#include "check/strategies/toy_engine.h"

namespace thrum::check {
namespace {

constexpr int kWord = 1;
constexpr int kOthers = 100;

std::vector<Operation> updates(int n, int object = kWord) {
  return {static_cast<std::size_t>(n), {Op::atomic_rmw, object}};
}

void append(std::vector<Operation>& operations, const std::vector<Operation>& more) {
  operations.insert(operations.end(), more.begin(), more.end());
}

// Pearson's statistic of how often each order was met, against all alike.
double chi_square(const std::map<std::string, int>& met, int orders, int executions) {
  const double expected = static_cast<double>(executions) / orders;
  double sum = (orders - static_cast<double>(met.size())) * expected;
  for (const auto& [order, times] : met) sum += (times - expected) * (times - expected) / expected;
  return sum;
}

// Executions that select: not those that count.
std::map<std::string, int> orders_met(StrategyId strategy, const Program& program, int executions) {
  ToyEngine toy(strategy, 1);
  std::map<std::string, int> met;
  for (int i = 0; i < executions;) {
    const std::string order = toy.run(program, kWord);
    if (engine.shared->census.is_taken_now) continue;
    ++met[order];
    ++i;
  }
  return met;
}

// With 19 degrees of freedom: above 60 once in three million times. The numbers are the same in
// each run, so that this is about the margin, and not about luck.
constexpr double kFarOff = 60;
constexpr int kExecutions = 20'000;

TEST(Surw, AllOrdersOfTheSelectedOperationsAreAlike) {
  // Of two threads with three each there are 20; one makes many other steps before.
  std::vector<Operation> slow = updates(40, kOthers);
  append(slow, updates(3));
  const Program program{slow, updates(3)};
  EXPECT_LT(chi_square(orders_met(StrategyId::surw, program, kExecutions), 20, kExecutions),
            kFarOff);
  // The test can tell: a plain random walk never meets some of them.
  EXPECT_GT(chi_square(orders_met(StrategyId::random, program, kExecutions), 20, kExecutions),
            1000 * kFarOff);
  EXPECT_GT(chi_square(orders_met(StrategyId::urw, program, kExecutions), 20, kExecutions),
            10 * kFarOff);
}

TEST(Surw, IsUniformOverThreadsOfDifferentLengths) {
  // 6! / (3! 2! 1!) = 60 orders; with 59 degrees of freedom, above 130 once in four million times.
  std::vector<Operation> middle = updates(1);
  append(middle, updates(25, kOthers));
  append(middle, updates(1));
  const Program program{updates(3), middle, updates(1)};
  EXPECT_LT(chi_square(orders_met(StrategyId::surw, program, 30'000), 60, 30'000), 130);
  EXPECT_GT(chi_square(orders_met(StrategyId::random, program, 30'000), 60, 30'000), 1300);
}

TEST(Surw, WhatOneThreadUsesAloneIsNotSelected) {
  ToyEngine toy(StrategyId::surw, 1);
  const Program program{updates(4, kOthers), updates(4, kOthers + 1)};
  toy.run(program, kWord);
  EXPECT_EQ(engine.shared->census.shared_count, 0U);
  toy.run(program, kWord);
  EXPECT_TRUE(engine.shared->census.is_taken_now);  // there is nothing to select: it counts again
}

TEST(Surw, CountsAgainNowAndThen) {
  ToyEngine toy(StrategyId::surw, 1);
  const Program program{updates(2), updates(2)};
  int counted = 0;
  for (int i = 0; i < 64; ++i) {
    toy.run(program, kWord);
    counted += engine.shared->census.is_taken_now ? 1 : 0;
  }
  EXPECT_EQ(counted, 4);
}

TEST(Urw, AllOrdersOfAllOperationsAreAlike) {
  const Program program{updates(3), updates(3)};
  EXPECT_LT(chi_square(orders_met(StrategyId::urw, program, kExecutions), 20, kExecutions),
            kFarOff);
}

// What a rare read of a rare write looks like here: thread 0 writes the word twice in a row, in the
// midst of other steps, and thread 1 reads it once, in between.
Program rare_reads(int stages) {
  Program program(static_cast<std::size_t>(stages) + 1);
  for (int i = 0; i < stages; ++i) {
    const auto at = static_cast<std::size_t>(i);
    append(program[at], updates(30, kOthers + i));
    program[at].push_back({Op::atomic_store, kWord + i});
    program[at].push_back({Op::atomic_store, kWord + i});
    append(program[at + 1], updates(15, kOthers + 50 + i));
    program[at + 1].push_back({Op::atomic_load, kWord + i});
  }
  return program;
}

// Does each read see the first of its two writes?
bool all_seen(ToyEngine& toy, const Program& program, int stages) {
  toy.run(program, 0);
  std::vector<int> writes(static_cast<std::size_t>(stages));
  int seen = 0;
  const Shared& shared = *engine.shared;
  for (std::uint32_t i = 0; i < shared.result.steps; ++i) {
    const Event& event = shared.event[i];
    const auto stage = event.address / 64 - kWord;
    if (event.op == Op::atomic_store) ++writes[stage];
    if (event.op == Op::atomic_load && writes[stage] == 1) ++seen;
  }
  return seen == stages;
}

int executions_until_all_are_seen(StrategyId strategy, int stages, int most) {
  ToyEngine toy(strategy, 1);
  const Program program = rare_reads(stages);
  for (int i = 1; i <= most; ++i) {
    if (all_seen(toy, program, stages)) return i;
  }
  return most + 1;
}

TEST(Rff, BuildsUpOneRareReadAfterTheOther) {
  constexpr int kMost = 4000;
  EXPECT_LE(executions_until_all_are_seen(StrategyId::rff, 4, kMost), kMost / 8);
  for (const StrategyId other : {StrategyId::random, StrategyId::urw, StrategyId::pos}) {
    EXPECT_GT(executions_until_all_are_seen(other, 4, kMost), kMost);
  }
}

TEST(Rff, KeepsWhatShowedANewPair) {
  ToyEngine toy(StrategyId::rff, 1);
  const Program program{{{Op::atomic_store, kWord}}, {{Op::atomic_load, kWord}}};
  for (int i = 0; i < 100; ++i) toy.run(program, kWord);
  // The read sees what was there at first, or what was written. There is no third.
  EXPECT_EQ(engine.shared->feedback.pairs, 2U);
  EXPECT_EQ(engine.shared->feedback.kept_count, 2U);
}

TEST(Rff, MeetsAllOrders) {
  ToyEngine toy(StrategyId::rff, 1);
  const Program program{updates(3), updates(3)};
  std::set<std::string> met;
  for (int i = 0; i < 2000; ++i) met.insert(toy.run(program, kWord));
  EXPECT_EQ(met.size(), 20U);
}

TEST(Strategies, AnExecutionIsTheSameAgain) {
  const Program program = rare_reads(2);
  for (const StrategyId id : {StrategyId::random, StrategyId::urw, StrategyId::surw,
                              StrategyId::pos, StrategyId::rff, StrategyId::pct}) {
    ToyEngine toy(id, 7);
    for (int i = 0; i < 200; ++i) {
      // As the engine does: what was estimated is put back.
      const Estimates before = engine.shared->estimates;
      toy.run(program, kWord);
      const std::string steps = toy.steps();
      const Estimates after = engine.shared->estimates;
      engine.shared->estimates = before;
      toy.run_again(program, kWord);
      engine.shared->estimates = after;
      ASSERT_EQ(toy.steps(), steps) << static_cast<int>(id) << ' ' << i;
    }
  }
}

TEST(Strategies, OfTheSameSeedTheyDoTheSame) {
  const Program program = rare_reads(2);
  for (const StrategyId id : {StrategyId::surw, StrategyId::rff}) {
    std::array<std::string, 2> all;
    for (std::string& each : all) {
      ToyEngine toy(id, 3);
      for (int i = 0; i < 100; ++i) {
        toy.run(program, kWord);
        each += toy.steps();
      }
    }
    EXPECT_EQ(all[0], all[1]);
  }
}

TEST(Strategies, EachHasItsTurnInTheRotation) {
  const Job job{};
  std::map<StrategyId, int> turns;
  for (std::uint64_t number = 0; number < 192; ++number) ++turns[strategy_for(job, number)];
  for (const StrategyId id : {StrategyId::random, StrategyId::pct, StrategyId::pos, StrategyId::urw,
                              StrategyId::surw, StrategyId::rff}) {
    EXPECT_GE(turns[id], 16) << static_cast<int>(id);
  }
  EXPECT_EQ(turns.size(), 6U);
}

}  // namespace
}  // namespace thrum::check
