// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// One file that needs nothing else. The policy in it lets the browser run our script and no other,
// and load nothing; names of the program are data, which the script shows as text.
#include <fmt/format.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <stdexcept>
#include <tuple>

#include "analysis/places.h"
#include "report/page_source.h"
#include "report/reports.h"
#include "text/terminal.h"

namespace thrum::report {

using analysis::Life;
using analysis::LockSite;
using analysis::Slice;
using analysis::State;
using text::printable;

namespace {

constexpr unsigned kInKernel = 5;  // a state of the page alone
// More would make the page larger than it is useful; the tables and forms for programs have all.
constexpr std::size_t kMostLocks = 500;
constexpr std::size_t kMostArrows = 200'000;

std::string base64(const unsigned char* bytes, std::size_t size) {
  std::string text(4 * ((size + 2) / 3) + 1, '\0');
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(
      reinterpret_cast<unsigned char*>(text.data()), bytes, static_cast<int>(size))));
  return text;
}

// As a Content-Security-Policy names what may run.
std::string hash_of(std::string_view source) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(source.data(), source.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return fmt::format("'sha256-{}'", base64(digest.data(), size));
}

void put(std::string& to, std::uint64_t n) {
  for (; n >= 128; n >>= 7) to += static_cast<char>(n | 128);
  to += static_cast<char>(n);
}

class Page {
 public:
  explicit Page(const Analysis& analysis) : analysis_(analysis), recording_(*analysis.recording) {}

  std::string html() {
    Json threads = Json::array();
    for (const Life& life : analysis_.lives) threads.push_back(thread(life));
    for (const Life& life : analysis_.lives) slices(life);
    arrows();
    Json level = Json::array(), deadlocks = Json::array(), inversions = Json::array();
    for (const std::string& line : report::level(analysis_)) level.push_back(line);
    for (const Json& one : recording_.alarms) deadlocks.push_back(plain(alarm(one)));
    for (const analysis::Inversion& inversion : analysis_.inversions) {
      inversions.push_back(plain(report::inversion(analysis_, inversion)));
    }
    const Json model{{"command", command(recording_)},
                     {"ending", ending(recording_)},
                     {"end", analysis_.end},
                     {"level", std::move(level)},
                     {"deadlocks", std::move(deadlocks)},
                     {"inversions", std::move(inversions)},
                     {"threads", std::move(threads)},
                     {"waits", std::move(waits_)},
                     {"locks", locks()}};
    const std::string json = model.dump(-1, ' ', false, Json::error_handler_t::replace);
    const auto size = static_cast<std::uint32_t>(json.size());
    std::string data(sizeof size, '\0');
    std::memcpy(data.data(), &size, sizeof size);
    data += json;
    data += slices_;

    return fmt::format(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src {}; "
        "style-src {}\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\"><title>thrum</title>\n"
        "<style>{}</style></head>\n<body>{}"
        "<script type=\"application/octet-stream\" id=\"data\">{}</script>\n"
        "<script>{}</script></body></html>\n",
        hash_of(kPageScript), hash_of(kPageStyle), kPageStyle, kPageBody, packed(data),
        kPageScript);
  }

 private:
  static std::string packed(const std::string& data) {
    uLongf size = compressBound(data.size());
    std::vector<unsigned char> bytes(size);
    if (compress2(bytes.data(), &size, reinterpret_cast<const Bytef*>(data.data()), data.size(),
                  6) != Z_OK) {
      throw std::runtime_error("the page's data cannot be packed");
    }
    return base64(bytes.data(), size);
  }

  static std::string plain(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += text::Terminal{.utf8 = true}.render(line) + '\n';
    return text;
  }

  std::string label(std::uint64_t serial) const {
    const auto found = analysis_.life_of.find(serial);
    if (found == analysis_.life_of.end()) return {};
    const Life& life = analysis_.lives[found->second];
    return fmt::format("{} {}", printable(life.name), life.thread->tid);
  }

  static Json thread(const Life& life) {
    return Json{{"name", printable(life.name)},
                {"tid", life.thread->tid},
                {"begin", life.begin},
                {"end", life.end},
                {"how", analysis::text_of_end(*life.thread)},
                {"ns", {life.ns[0], life.ns[1], life.ns[2], life.ns[3], life.ns[4]}},
                {"switches", {life.voluntary, life.involuntary, life.thread_switches}}};
  }

  void slices(const Life& life) {
    put(slices_, life.slices.size());
    for (const Slice& slice : life.slices) {
      put(slices_, slice.end - slice.begin);
      if (slice.state == State::blocked && slice.wait == Slice::kNoWait) {
        put(slices_, kInKernel);
        continue;
      }
      put(slices_, static_cast<std::uint64_t>(slice.state));
      if (slice.state == State::blocked) put(slices_, wait(life, life.waits[slice.wait]));
    }
  }

  // Returns the number under which the page knows what is waited for.
  std::size_t wait(const Life& life, const analysis::Wait& wait) {
    const auto key = std::tuple(life.thread->serial, wait.object, wait.site_stack,
                                wait.kind == trace::Kind::join ? wait.waker : wait.holder);
    const auto known = wait_numbers_.find(key);
    if (known != wait_numbers_.end()) return known->second;
    const std::string joined = wait.kind == trace::Kind::join ? label(wait.waker) : std::string();
    Json one{{"kind", analysis::name_of(wait.kind)},
             {"object",
              printable(analysis::object_text(analysis_, *life.thread, wait.object, wait.kind))},
             {"site", printable(analysis::site_text(recording_, *life.thread, wait.site_stack))},
             {"holder", label(wait.holder)}};
    const auto [same, is_new] = wait_texts_.try_emplace(
        one.dump(-1, ' ', false, Json::error_handler_t::replace), waits_.size());
    if (is_new) waits_.push_back(std::move(one));
    wait_numbers_[key] = same->second;
    return same->second;
  }

  // In order of time: when, how long until it ran, by whom, whom.
  void arrows() {
    std::vector<std::array<std::uint64_t, 4>> all;
    for (std::size_t i = 0; i < analysis_.lives.size(); ++i) {
      for (const analysis::Wait& wait : analysis_.lives[i].waits) {
        const auto by = analysis_.life_of.find(wait.waker);
        if (by == analysis_.life_of.end()) continue;
        all.push_back({wait.woken, wait.end - wait.woken, by->second, i});
      }
    }
    std::ranges::sort(all);
    if (all.size() > kMostArrows) all.clear();
    put(slices_, all.size());
    std::uint64_t before = 0;
    for (const auto& [when, until, by, who] : all) {
      put(slices_, when - before);
      put(slices_, until);
      put(slices_, by);
      put(slices_, who);
      before = when;
    }
  }

  Json locks() const {
    Json rows = Json::array();
    for (const LockSite& site : analysis_.contention) {
      if (rows.size() >= kMostLocks) break;
      std::string holders;
      for (const auto& [serial, n] : site.holders) {
        holders += fmt::format("{}{} ({})", holders.empty() ? "" : ", ", label(serial), n);
      }
      rows.push_back({printable(site.object_name), site.total_ns, site.contended, site.acquisitions,
                      site.p50_ns, site.p99_ns, site.max_ns, site.held_mean_ns,
                      printable(site.site), holders});
    }
    return rows;
  }

  const Analysis& analysis_;
  const analysis::Recording& recording_;
  std::string slices_;
  Json waits_ = Json::array();
  std::map<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t>, std::size_t>
      wait_numbers_;
  std::map<std::string, std::size_t> wait_texts_;
};

}  // namespace

std::string html(const Analysis& analysis) { return Page(analysis).html(); }

}  // namespace thrum::report
