// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>

#include "analysis/recording.h"

namespace thrum::analysis {

/// A set of places, to which the same few are added again and again: once for each event.
class PlaceSet {
 public:
  void insert(const Place& place) {
    // By the middle of a product all bits of the address count, also those that do not differ
    // in objects that lie in one array.
    constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15;
    Place& lately = lately_[((place.second ^ place.first) * kSpread >> 32) % kLately];
    if (lately == place) return;
    all_.insert(place);
    lately = place;
  }
  const std::set<Place>& all() const { return all_; }

 private:
  static constexpr std::size_t kLately = 256;
  // At the start address 0 of nobody, where nothing is.
  std::array<Place, kLately> lately_{};
  std::set<Place> all_;
};

}  // namespace thrum::analysis
