// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/tour/section.h"

namespace thrum::cli {
namespace {

template <class S>
std::string release_of(S& semaphore) {
  try {
    semaphore.release();
  } catch (...) {
    return words_of(std::current_exception());
  }
  return {};
}

}  // namespace

void bounded_semaphore_section(Tour& tour) {
  Report& report = tour.report;

  THRUM_RUN(report, BoundedSemaphore seats(1); seats.acquire(); seats.release());
  report.happened({.text = "taken and given back: {seats} again",
                   .facts = {{"seats", seats.value()}},
                   .holds = seats.value() == 1});

  report.code("seats.release()  // one too many");
  const std::string refused = release_of(seats);
  report.happened({.text = "{refused}. The permits are still {seats_after}",
                   .facts = {{"refused", refused}, {"seats_after", seats.value()}},
                   .holds = refused.starts_with("UsageError") && seats.value() == 1});

  THRUM_RUN(report, Semaphore plain(1); plain.release());
  report.happened({.text = "a plain Semaphore takes it, and has {plain_after}",
                   .facts = {{"plain_after", plain.value()}},
                   .holds = plain.value() == 2});
}

}  // namespace thrum::cli
