// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// An execution in words, before it takes a form: what went wrong, why that is wrong, and who did
// what in which order. All of it is printable text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "explore/campaign.h"
#include "explore/names.h"

namespace thrum::explore {

struct Step {
  unsigned thread = 0;
  bool preempts = false;
  bool has_place = true;  // a thread's begin and end have none worth a word
  Place place;
  std::string verb;
  std::string object;  // what it is done with
  std::string rest;    // the value, and how it went
  std::vector<Place> stack;
  std::vector<std::string> notes;  // what the program said after it

  /// Returns `loads count = 0`.
  std::string text() const;
};

/// A thread that cannot go on.
struct Waiting {
  unsigned thread = 0;
  std::string verb;
  std::string object;
  std::optional<unsigned> holder;
  std::string rest;  // `, held by T2`
  Place place;
  std::vector<Place> stack;

  /// Returns `wants left, held by T2, at bank.cpp:12`.
  std::string text() const;
};

/// One of two accesses that nothing orders.
struct Access {
  unsigned thread = 0;
  std::string what;  // `writes 4 bytes`
  Place place;
  std::vector<Place> stack;
};

struct Story {
  check::Outcome outcome{};
  std::string verdict;  // `deadlock`
  std::string summary;  // `no thread can go on`
  unsigned thread = 0;  // in which it happened
  std::vector<Place> stack;
  std::vector<Waiting> waiting;
  std::vector<Access> accesses;
  std::string missing;               // what would have ordered the accesses
  std::vector<std::string> errors;   // what the program wrote to standard error
  std::vector<std::string> threads;  // names, by number
  std::vector<Step> steps;
  std::string file;  // the only one that all steps are in; empty if there are several
};

Story tell(const Execution& execution);

}  // namespace thrum::explore
