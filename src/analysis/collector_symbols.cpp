// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "analysis/collector.h"
#include "analysis/collector_state.h"

namespace thrum::analysis {

Collector::Mapped* Collector::mapped(std::uint32_t serial) {
  for (const auto& process : entries_) {
    if (process != nullptr && process->info.serial == serial) return process.get();
  }
  const auto found = gone_.find(serial);
  return found != gone_.end() ? found->second.get() : nullptr;
}

Symbols& Collector::symbols(Mapped& process) {
  if (process.symbols == nullptr) {
    process.symbols = std::make_unique<Symbols>(process.info.modules);
  }
  return *process.symbols;
}

// Looks again at what is mapped when addresses turned up that are in none of it.
void Collector::watch_maps() {
  for (const auto& process : entries_) {
    if (process == nullptr) continue;
    const std::uint32_t serial = process->info.serial;
    std::size_t unknown = 0;
    for (auto place = places_.all().lower_bound({serial, 0});
         place != places_.all().end() && place->first == serial; ++place) {
      unknown += std::ranges::none_of(process->info.modules, [&](const Module& module) {
        return place->second >= module.low && place->second <= module.high;
      });
    }
    if (unknown > process->unknown_places) read_maps(*process);
    process->unknown_places = unknown;
  }
}

void Collector::refresh() {
  refresh_names();
  watch_maps();
  write_depths();
  for (std::uint32_t i = 0; i < used_slots_; ++i) write_fresh(slots_[i]);
}

const std::vector<std::uint64_t>& Collector::unwound(StackId id) {
  auto [known, is_new] = unwound_.try_emplace(id);
  if (!is_new) return known->second;
  const auto snapshot = snapshots_.find(id);
  const Thread* const its = thread(id.first);
  Mapped* const process = its != nullptr ? mapped(its->process) : nullptr;
  if (snapshot == snapshots_.end() || process == nullptr) return known->second;
  known->second = symbols(*process).unwind(snapshot->second.registers, snapshot->second.bytes);
  // From the call site outwards: what is inside of it is this project's own.
  std::vector<std::uint64_t>& stack = known->second;
  stack.erase(stack.begin(), std::ranges::find(stack, snapshot->second.site));
  return stack;
}

std::vector<Frame> Collector::frames(std::uint64_t serial, std::uint64_t site_stack) {
  const Thread* const its = thread(serial);
  Mapped* const process = its != nullptr ? mapped(its->process) : nullptr;
  if (process == nullptr) return {};
  const std::uint64_t site = site_stack & trace::kAddressMask;
  const auto id = static_cast<std::uint16_t>(site_stack >> trace::kAddressBits);
  std::vector<std::uint64_t> addresses;
  if (id != 0) addresses = unwound({serial, id});
  if (addresses.empty()) addresses.push_back(site);
  std::vector<Frame> found;
  for (const std::uint64_t address : addresses) {
    for (Frame& frame : symbols(*process).frames(address)) found.push_back(std::move(frame));
  }
  return found;
}

std::string Collector::variable(std::uint32_t serial, std::uint64_t address) {
  if (const auto named = names_.find({serial, address}); named != names_.end()) {
    return named->second.rbegin()->second;
  }
  Mapped* const process = mapped(serial);
  return process != nullptr ? symbols(*process).variable(address) : std::string();
}

void Collector::add_objects(const std::set<Place>& slept_on) {
  for (const auto& [serial, thread] : threads_) {
    for (auto at = slept_on.lower_bound({thread.tid, 0});
         at != slept_on.end() && at->first == thread.tid; ++at) {
      objects_.insert({thread.process, at->second & trace::kAddressMask});
    }
  }
}

void Collector::write_symbols() {
  Json places = Json::array(), stacks = Json::array(), objects = Json::array();
  for (const auto& [id, snapshot] : snapshots_) {
    const Thread* const its = thread(id.first);
    const std::vector<std::uint64_t>& addresses = unwound(id);
    if (its == nullptr || addresses.empty()) continue;
    for (const std::uint64_t address : addresses) {
      if ((address & ~trace::kAddressMask) == 0) places_.insert({its->process, address});
    }
    stacks.push_back({id.first, id.second, addresses});
  }
  for (const Place& place : places_.all()) {
    Mapped* const process = mapped(place.first);
    if (process == nullptr) continue;
    Json frames = Json::array();
    for (const Frame& frame : symbols(*process).frames(place.second)) {
      frames.push_back({frame.function, frame.file, frame.line, frame.module});
    }
    places.push_back({place.first, place.second, std::move(frames)});
  }
  for (const Place& object : objects_.all()) {
    Mapped* const process = mapped(object.first);
    if (process == nullptr) continue;
    if (std::string name = symbols(*process).variable(object.second); !name.empty()) {
      objects.push_back({object.first, object.second, std::move(name)});
    }
  }
  Json names = Json::array();
  for (const auto& [place, list] : names_) {
    for (const auto& [when, name] : list) {
      names.push_back({place.first, place.second, when, name});
    }
  }
  writer_.write(Chunk::symbols, Json{{"places", std::move(places)},
                                     {"stacks", std::move(stacks)},
                                     {"objects", std::move(objects)},
                                     {"names", std::move(names)}});
}

}  // namespace thrum::analysis
