// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "check/strategies/toy_engine.h"

#include <algorithm>

namespace thrum::check {

constinit Engine engine{};

ToyEngine::ToyEngine(StrategyId strategy, std::uint64_t seed) : seed_(seed) {
  engine.shared = new Shared{};
  engine.shared->job.strategy = strategy;
}

ToyEngine::~ToyEngine() {
  delete engine.shared;
  engine.shared = nullptr;
}

std::string ToyEngine::run(const Program& program, int object) {
  ++number_;
  return execute(program, object);
}

std::string ToyEngine::run_again(const Program& program, int object) {
  engine.shared->job.again = true;
  const std::string order = execute(program, object);
  engine.shared->job.again = false;
  return order;
}

std::string ToyEngine::execute(const Program& program, int object) {
  Shared& shared = *engine.shared;
  const Strategy& chosen = strategy(shared.job.strategy);
  shared.result = {};
  shared.result.outcome = Outcome::clean;
  shared.result.strategy = shared.job.strategy;
  engine.run = {};
  engine.run.random = seed_ * 1'000'003 + number_;
  engine.run.threads = engine.run.living = static_cast<std::uint32_t>(program.size());
  const auto publish = [&](Thread& thread) {
    const std::vector<Operation>& operations = program[thread.id];
    thread.finished = thread.steps == operations.size();
    if (thread.finished) return;
    thread.op = operations[thread.steps].op;
    const auto address = static_cast<std::uintptr_t>(operations[thread.steps].object) * 64;
    thread.object = reinterpret_cast<const void*>(address);
    thread.pc = thread.steps + 1;
  };
  for (std::uint32_t i = 0; i < program.size(); ++i) {
    Thread& thread = engine.thread[i];
    thread = {};
    thread.id = static_cast<std::uint8_t>(i);
    thread.priority = random_number();
    shared.thread[i].parent = i == 0 ? -1 : 0;
    publish(thread);
  }
  engine.run.current = &engine.thread[0];
  chosen.begin();
  std::string order;
  steps_.clear();
  for (;;) {
    Candidates candidates{};
    for (std::uint32_t i = 0; i < program.size(); ++i) {
      if (!engine.thread[i].finished) candidates.thread[candidates.count++] = &engine.thread[i];
    }
    if (candidates.count == 0) break;
    candidates.current = engine.run.current;
    candidates.usual = candidates.thread[0];
    Thread* next = candidates.thread[0];
    if (candidates.count > 1) {  // as in the engine: no choice, no question
      next = chosen.next(candidates);
      ++shared.result.decisions;
    }
    Event& event = shared.event[shared.result.steps++];
    event = {};
    event.pc = next->pc;
    event.address = reinterpret_cast<std::uintptr_t>(next->object);
    event.thread = next->id;
    event.op = next->op;
    const char digit = static_cast<char>('0' + next->id);
    steps_ += digit;
    if (program[next->id][next->steps].object == object) order += digit;
    ++next->steps;
    engine.run.current = next;
    publish(*next);
  }
  if (!shared.job.again) {
    learn();
    for (std::uint32_t i = 0; i < program.size(); ++i) {
      shared.estimates.steps[i] = std::max(shared.estimates.steps[i], engine.thread[i].steps);
    }
    shared.estimates.decisions = std::max(shared.estimates.decisions, shared.result.decisions);
  }
  return order;
}

}  // namespace thrum::check
