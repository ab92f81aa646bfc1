// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "analysis/session.h"
#include "report/reports.h"

namespace thrum::report {

/// What is seen of a program while it runs, as lines of text for a screen of any size.
class Live {
 public:
  /// Takes in what each thread does now. Call it often: what is counted by looking is as good as
  /// that.
  void look(const analysis::Look& look);
  /// Ends so many tenths of a second: each thread gets as many more cells in its strip. Reads
  /// /proc.
  void tick(std::size_t tenths = 1);
  void alarm(const Json& alarm);

  /// Returns at most `rows` lines of at most `columns`, with ink marks. `head` stands above them.
  std::vector<std::string> lines(const std::vector<std::string>& head, std::size_t columns,
                                 std::size_t rows) const;

 private:
  enum class Doing : std::uint8_t { running, lock, others, kernel, asleep };
  struct Row {
    std::string name{};
    std::uint32_t pid = 0, tid = 0;
    Doing doing = Doing::running;
    std::string object{}, site{};  // of the wait it is in
    std::uint64_t since_ns = 0;
    std::uint64_t waits_key = 0;           // tells one wait from the next
    std::vector<std::uint64_t> holders{};  // serials
    std::deque<Doing> strip{};
    bool alive = false;
  };
  struct Lock {
    std::string name{};
    std::uint64_t ns = 0;
    std::size_t waiting = 0, most = 0;
    std::vector<std::uint64_t> holders{};
  };

  struct Queue {
    std::string name{};
    std::uint64_t items = 0, limit = 0, most = 0;
    std::deque<std::uint64_t> strip{};
    bool alive = false;
  };

  static Doing doing_of(const analysis::Moment& moment);
  std::string label(std::uint64_t serial) const;
  std::string strip(const Row& row, std::size_t cells) const;
  std::string chain(std::uint64_t serial, std::vector<std::uint64_t>& links) const;
  std::string what(const Row& row) const;
  void look_at_queues(const analysis::Look& look);
  std::vector<std::string> queue_lines(std::size_t columns) const;

  std::map<std::uint64_t, Row> rows_;  // by serial
  std::map<std::pair<std::uint32_t, std::uint64_t>, Lock> locks_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, Queue> queues_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::string> objects_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> sites_;
  std::vector<std::vector<std::string>> alarms_;
  std::uint64_t now_ns_ = 0;
};

}  // namespace thrum::report
