// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Where time was waited, by stack: folded lines for flame graphs, and profile.proto for pprof
// (github.com/google/pprof, proto/profile.proto, whose field numbers are below).
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <map>
#include <protozero/pbf_writer.hpp>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "analysis/places.h"
#include "report/reports.h"
#include "text/terminal.h"

namespace thrum::report {

using analysis::Frame;
using analysis::Life;
using analysis::Wait;

namespace {

struct Sum {
  std::uint64_t n = 0, ns = 0;
};

struct FrameOrder {
  bool operator()(const Frame& a, const Frame& b) const {
    return std::tie(a.function, a.file, a.line) < std::tie(b.function, b.file, b.line);
  }
};

std::vector<Frame> frames_of(const analysis::Recording& recording, const Life& life,
                             const Wait& wait) {
  std::vector<Frame> frames;
  for (const std::uint64_t address : stack_of(recording, *life.thread, wait.site_stack)) {
    const auto place = recording.places.find({life.thread->process, address});
    if (place == recording.places.end()) {
      frames.push_back({fmt::format("{:#x}", address), {}, 0, {}});
    } else {
      frames.insert(frames.end(), place->second.begin(), place->second.end());
    }
  }
  return frames;
}

template <class Take>
void each_wait(const Analysis& analysis, Take take) {
  for (const Life& life : analysis.lives) {
    for (const Wait& wait : life.waits) {
      take(frames_of(*analysis.recording, life, wait), object(analysis, *life.thread, wait), wait,
           life);
    }
  }
}

// In a folded line, ; parts frames and the last space the number.
std::string folded_name(std::string name) {
  for (char& c : name) {
    if (c == ';' || c == '\n') c = ',';
  }
  return text::printable(name);
}

class Profile {
 public:
  std::uint64_t string(const std::string& text) {
    const auto [found, is_new] = strings_.try_emplace(text, names_.size());
    if (is_new) names_.push_back(text);
    return found->second;
  }

  std::uint64_t location(const Frame& frame) {
    const auto [found, is_new] = locations_.try_emplace(frame, locations_.size() + 1);
    if (!is_new) return found->second;
    const std::uint64_t id = found->second;
    std::string function;
    protozero::pbf_writer writer(function);
    writer.add_uint64(1, id);
    writer.add_int64(2, static_cast<std::int64_t>(string(analysis::short_name(frame.function))));
    writer.add_int64(3, static_cast<std::int64_t>(string(frame.function)));
    writer.add_int64(4, static_cast<std::int64_t>(string(frame.file)));
    profile_.add_message(5, function);
    std::string location;
    protozero::pbf_writer place(location);
    place.add_uint64(1, id);
    std::string line;
    protozero::pbf_writer line_writer(line);
    line_writer.add_uint64(1, id);
    line_writer.add_int64(2, frame.line);
    place.add_message(4, line);
    profile_.add_message(4, location);
    return id;
  }

  void value_type(std::uint32_t field, const char* type, const char* unit) {
    std::string message;
    protozero::pbf_writer writer(message);
    writer.add_int64(1, static_cast<std::int64_t>(string(type)));
    writer.add_int64(2, static_cast<std::int64_t>(string(unit)));
    profile_.add_message(field, message);
  }

  void sample(const std::vector<Frame>& frames, const std::string& lock, const Sum& sum) {
    std::vector<std::uint64_t> ids;
    for (const Frame& frame : frames) ids.push_back(location(frame));
    const std::int64_t values[] = {static_cast<std::int64_t>(sum.n),
                                   static_cast<std::int64_t>(sum.ns)};
    std::string label;
    protozero::pbf_writer label_writer(label);
    label_writer.add_int64(1, static_cast<std::int64_t>(string("lock")));
    label_writer.add_int64(2, static_cast<std::int64_t>(string(lock)));
    std::string message;
    protozero::pbf_writer writer(message);
    writer.add_packed_uint64(1, ids.begin(), ids.end());
    writer.add_packed_int64(2, std::begin(values), std::end(values));
    writer.add_message(3, label);
    profile_.add_message(2, message);
  }

  std::string finish() {
    for (const std::string& name : names_) profile_.add_string(6, name);
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
  protozero::pbf_writer profile_{bytes_};
  std::vector<std::string> names_{""};
  std::map<std::string, std::uint64_t> strings_{{"", 0}};
  std::map<Frame, std::uint64_t, FrameOrder> locations_;
};

std::string gzip(const std::string& data) {
  z_stream stream{};
  constexpr int kGzip = 16 + MAX_WBITS;
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::runtime_error("zlib does not start");
  }
  std::string packed(deflateBound(&stream, data.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int result = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("the profile cannot be packed");
  return packed;
}

}  // namespace

std::string folded(const Analysis& analysis) {
  std::map<std::string, std::uint64_t> lines;
  each_wait(analysis, [&](const std::vector<Frame>& frames, const std::string& what,
                          const Wait& wait, const Life& life) {
    std::string line = folded_name(life.name);
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
      line += ';' + folded_name(analysis::short_name(frame->function));
    }
    line += ';' + folded_name(fmt::format("[{}]", what));
    lines[line] += wait.end - wait.begin;
  });
  std::string text;
  for (const auto& [line, ns] : lines) text += fmt::format("{} {}\n", line, ns / 1000);
  return text;
}

std::string pprof(const Analysis& analysis) {
  const auto less = [](const auto& a, const auto& b) {
    if (a.second != b.second) return a.second < b.second;
    return std::lexicographical_compare(a.first.begin(), a.first.end(), b.first.begin(),
                                        b.first.end(), FrameOrder());
  };
  std::map<std::pair<std::vector<Frame>, std::string>, Sum, decltype(less)> sums(less);
  each_wait(analysis, [&](const std::vector<Frame>& frames, const std::string& what,
                          const Wait& wait, const Life&) {
    Sum& sum = sums[{frames, what}];
    ++sum.n;
    sum.ns += wait.end - wait.begin;
  });
  Profile profile;
  profile.value_type(1, "contentions", "count");
  profile.value_type(1, "delay", "nanoseconds");
  for (const auto& [key, sum] : sums) profile.sample(key.first, key.second, sum);
  return gzip(profile.finish());
}

}  // namespace thrum::report
