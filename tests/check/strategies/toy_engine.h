// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// An engine whose threads are lists of operations, each always possible. What a strategy sees of it
// is what it sees of the real one.
#pragma once

#include <string>
#include <vector>

#include "check/strategies/strategy.h"

namespace thrum::check {

struct Operation {
  Op op;
  int object;  // from 1
};
using Program = std::vector<std::vector<Operation>>;  // by thread

class ToyEngine {
 public:
  ToyEngine(StrategyId strategy, std::uint64_t seed);
  ~ToyEngine();
  ToyEngine(const ToyEngine&) = delete;
  ToyEngine& operator=(const ToyEngine&) = delete;

  /// Makes one execution. Returns the threads that used this object, in order, as digits.
  std::string run(const Program& program, int object);
  /// The same execution as the last one, as the engine makes it in a fresh process.
  std::string run_again(const Program& program, int object);
  /// Returns all threads of the last execution in order, as digits.
  const std::string& steps() const { return steps_; }

 private:
  std::string execute(const Program& program, int object);

  std::uint64_t seed_;
  std::uint64_t number_ = 0;
  std::string steps_;
};

}  // namespace thrum::check
