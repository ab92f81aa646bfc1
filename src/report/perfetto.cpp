// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The recording as Perfetto's protobuf (ui.perfetto.dev, trace_processor): a track of slices for
// each thread, flows from who let go to who went on, how many threads waited for each of the locks
// that cost most, and how many items each queue held. Names of messages and fields are those of
// github.com/google/perfetto, protos/perfetto/trace: trace_packet.proto,
// track_event/{track_descriptor,process_descriptor,
// thread_descriptor,counter_descriptor,track_event,debug_annotation}.proto and
// interned_data/interned_data.proto.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "analysis/places.h"
#include "report/reports.h"
#include "text/terminal.h"

namespace thrum::report {

using analysis::Life;
using analysis::LockSite;
using analysis::Slice;
using analysis::State;
using analysis::Wait;
using protozero::pbf_writer;
using text::printable;

namespace {

namespace trace_field {
enum : std::uint32_t { packet = 1 };
}
namespace packet_field {
enum : std::uint32_t {
  timestamp = 8,
  trusted_packet_sequence_id = 10,
  track_event = 11,
  interned_data = 12,
  sequence_flags = 13,
  track_descriptor = 60,
};
constexpr std::uint32_t kIncrementalStateCleared = 1, kNeedsIncrementalState = 2;
}  // namespace packet_field
namespace descriptor_field {
enum : std::uint32_t { uuid = 1, name = 2, process = 3, thread = 4, parent_uuid = 5, counter = 8 };
}
namespace process_field {
enum : std::uint32_t { pid = 1, process_name = 6 };
}
namespace thread_field {
enum : std::uint32_t { pid = 1, tid = 2, thread_name = 5 };
}
namespace counter_field {
enum : std::uint32_t { unit = 3 };
constexpr std::int32_t kCount = 2;
}  // namespace counter_field
namespace event_field {
enum : std::uint32_t {
  category_iids = 3,
  debug_annotations = 4,
  type = 9,
  name_iid = 10,
  track_uuid = 11,
  counter_value = 30,
  flow_ids = 47,
  terminating_flow_ids = 48,
};
enum Type : std::int32_t { slice_begin = 1, slice_end = 2, instant = 3, counter = 4 };
}  // namespace event_field
namespace annotation_field {
enum : std::uint32_t { name_iid = 1, string_value_iid = 17 };
}
namespace interned_field {
enum : std::uint32_t {
  event_categories = 1,
  event_names = 2,
  debug_annotation_names = 3,
  debug_annotation_string_values = 29,
};
enum : std::uint32_t { iid = 1, string = 2 };  // of each entry
}  // namespace interned_field

constexpr std::uint32_t kSequence = 1;
// A track for each lock would hide those that matter.
constexpr std::size_t kMostCounters = 16;

class Perfetto {
 public:
  explicit Perfetto(const Analysis& analysis) : analysis_(analysis) {}

  std::string bytes() {
    first_packet();
    for (const auto& entry : analysis_.recording->processes) process_track(entry.second);
    for (const Life& life : analysis_.lives) thread_track(life);
    find_flows();
    for (std::size_t i = 0; i < analysis_.lives.size(); ++i) slices(i);
    for (const Flow& flow : flows_) let_go(flow);
    counters();
    depths();
    return std::move(bytes_);
  }

 private:
  struct Flow {
    std::uint64_t id, by, woken;
    const Life* who;
    const Wait* wait;
  };

  // Strings by number, sent with the first packet that uses them.
  struct Interned {
    std::uint32_t field;
    std::map<std::string, std::uint64_t, std::less<>> numbers{};
  };

  template <class Fill>
  void packet(Fill fill) {
    std::string packet;
    pbf_writer writer(packet);
    fill(writer);
    writer.add_uint32(packet_field::trusted_packet_sequence_id, kSequence);
    pbf_writer(bytes_).add_message(trace_field::packet, packet);
  }

  void first_packet() {
    packet([](pbf_writer& writer) {
      writer.add_uint32(packet_field::sequence_flags, packet_field::kIncrementalStateCleared);
    });
  }

  template <class Fill>
  void descriptor(Fill fill) {
    packet([&](pbf_writer& writer) {
      std::string descriptor;
      pbf_writer inner(descriptor);
      fill(inner);
      writer.add_message(packet_field::track_descriptor, descriptor);
    });
  }

  void process_track(const analysis::Process& process) {
    const std::uint64_t uuid = ++last_uuid_;
    processes_[process.serial] = uuid;
    descriptor([&](pbf_writer& writer) {
      writer.add_uint64(descriptor_field::uuid, uuid);
      std::string info;
      pbf_writer inner(info);
      inner.add_int32(process_field::pid, static_cast<std::int32_t>(process.pid));
      const std::string& path = process.modules.empty() ? std::string() : process.modules[0].path;
      inner.add_string(process_field::process_name,
                       path.empty() ? command(*analysis_.recording)
                                    : printable(path.substr(path.rfind('/') + 1)));
      writer.add_message(descriptor_field::process, info);
    });
  }

  void thread_track(const Life& life) {
    const std::uint64_t uuid = ++last_uuid_;
    tracks_.push_back(uuid);
    const analysis::Thread& thread = *life.thread;
    const auto process = analysis_.recording->processes.find(thread.process);
    descriptor([&](pbf_writer& writer) {
      writer.add_uint64(descriptor_field::uuid, uuid);
      if (const auto parent = processes_.find(thread.process); parent != processes_.end()) {
        writer.add_uint64(descriptor_field::parent_uuid, parent->second);
      }
      std::string info;
      pbf_writer inner(info);
      inner.add_int32(thread_field::pid, process != analysis_.recording->processes.end()
                                             ? static_cast<std::int32_t>(process->second.pid)
                                             : 0);
      inner.add_int32(thread_field::tid, static_cast<std::int32_t>(thread.tid));
      inner.add_string(thread_field::thread_name, printable(life.name));
      writer.add_message(descriptor_field::thread, info);
    });
  }

  std::uint64_t intern(Interned& kind, std::string_view text) {
    const auto known = kind.numbers.find(text);
    if (known != kind.numbers.end()) return known->second;
    const std::uint64_t number = kind.numbers.size() + 1;
    kind.numbers.emplace(text, number);
    std::string entry;
    pbf_writer writer(entry);
    writer.add_uint64(interned_field::iid, number);
    writer.add_string(interned_field::string, text.data(), text.size());
    pbf_writer(fresh_).add_message(kind.field, entry);
    return number;
  }

  template <class Fill>
  void event(std::uint64_t when, std::uint64_t track, event_field::Type type, Fill fill) {
    std::string event;
    pbf_writer inner(event);
    inner.add_enum(event_field::type, type);
    inner.add_uint64(event_field::track_uuid, track);
    fill(inner);
    packet([&](pbf_writer& writer) {
      writer.add_uint64(packet_field::timestamp, when);
      writer.add_message(packet_field::track_event, event);
      if (!fresh_.empty()) writer.add_message(packet_field::interned_data, fresh_);
      fresh_.clear();
      writer.add_uint32(packet_field::sequence_flags, packet_field::kNeedsIncrementalState);
    });
  }

  void named(pbf_writer& writer, std::string_view category, std::string_view name) {
    writer.add_uint64(event_field::category_iids, intern(categories_, category));
    writer.add_uint64(event_field::name_iid, intern(names_, name));
  }

  void note(pbf_writer& writer, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    std::string annotation;
    pbf_writer inner(annotation);
    inner.add_uint64(annotation_field::name_iid, intern(note_names_, name));
    inner.add_uint64(annotation_field::string_value_iid, intern(note_values_, value));
    writer.add_message(event_field::debug_annotations, annotation);
  }

  std::string label(std::uint64_t serial) const {
    const auto found = analysis_.life_of.find(serial);
    if (found == analysis_.life_of.end()) return {};
    const Life& life = analysis_.lives[found->second];
    return fmt::format("{} {}", printable(life.name), life.thread->tid);
  }

  // What a wait is called, and the place that it is made at.
  const std::pair<std::string, std::string>& wait_text(const Life& life, const Wait& wait) {
    auto& text = texts_[{life.thread->serial, wait.object, wait.site_stack, wait.kind, wait.given}];
    if (text.first.empty()) {
      text.first = object(analysis_, *life.thread, wait);
      text.second =
          printable(analysis::site_text(*analysis_.recording, *life.thread, wait.site_stack));
    }
    return text;
  }

  // A flow ends at the first slice of the woken thread that begins when it was let go, or later.
  void find_flows() {
    for (const Life& life : analysis_.lives) {
      for (const Wait& wait : life.waits) {
        if (wait.waker != 0 && analysis_.life_of.contains(wait.waker)) {
          flows_.push_back({flows_.size() + 1, wait.waker, wait.woken, &life, &wait});
        }
      }
    }
  }

  void slices(std::size_t index) {
    const Life& life = analysis_.lives[index];
    const std::uint64_t track = tracks_[index];
    // The flows to this thread, which are in order of its waits.
    auto flow = std::ranges::lower_bound(flows_, index_of(life), {},
                                         [&](const Flow& one) { return index_of(*one.who); });
    for (const Slice& slice : life.slices) {
      event(slice.begin, track, event_field::slice_begin, [&](pbf_writer& writer) {
        if (slice.state == State::blocked && slice.wait != Slice::kNoWait) {
          const Wait& wait = life.waits[slice.wait];
          const auto& [what, where] = wait_text(life, wait);
          named(writer, "blocked", what);
          note(writer, "at", where);
          note(writer, "held by", label(wait.holder));
          note(writer, "let go by", label(wait.waker));
        } else if (slice.state == State::blocked) {
          named(writer, "blocked", "in the kernel");
        } else {
          named(writer, analysis::name_of(slice.state), analysis::name_of(slice.state));
        }
        for (; flow != flows_.end() && flow->who == &life && flow->woken <= slice.begin; ++flow) {
          writer.add_fixed64(event_field::terminating_flow_ids, flow->id);
        }
      });
      event(slice.end, track, event_field::slice_end, [](pbf_writer&) {});
    }
  }

  std::size_t index_of(const Life& life) const {
    return static_cast<std::size_t>(&life - analysis_.lives.data());
  }

  void let_go(const Flow& flow) {
    const std::size_t by = analysis_.life_of.at(flow.by);
    event(flow.woken, tracks_[by], event_field::instant, [&](pbf_writer& writer) {
      named(writer, "wake",
            flow.wait->kind == trace::Kind::join
                ? "ended"
                : "lets go " + wait_text(*flow.who, *flow.wait).first);
      note(writer, "for", label(flow.who->thread->serial));
      writer.add_fixed64(event_field::flow_ids, flow.id);
    });
  }

  // How many threads waited for an object, over time.
  void counters() {
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::vector<std::pair<std::uint64_t, int>>>
        steps;
    std::vector<std::pair<std::pair<std::uint32_t, std::uint64_t>, std::string>> order;
    for (const LockSite& site : analysis_.contention) {
      const std::pair key(site.process, site.object);
      if (site.contended == 0 || order.size() >= kMostCounters) break;
      if (steps.contains(key)) continue;  // the same lock at another place
      steps[key];
      order.emplace_back(key, site.object_name);
    }
    for (const Life& life : analysis_.lives) {
      for (const Wait& wait : life.waits) {
        const auto found = steps.find({life.thread->process, wait.object});
        if (found == steps.end() || wait.begin == wait.end) continue;
        found->second.emplace_back(wait.begin, 1);
        found->second.emplace_back(wait.end, -1);
      }
    }
    for (const auto& entry : order) {  // clang 14 lets no lambda have the parts of a binding
      const auto& key = entry.first;
      const std::uint64_t uuid = counter_track(key.first, "waiting for " + printable(entry.second));
      auto& changes = steps[key];
      std::ranges::sort(changes);
      int waiting = 0;
      for (std::size_t i = 0; i < changes.size(); ++i) {
        waiting += changes[i].second;
        if (i + 1 < changes.size() && changes[i + 1].first == changes[i].first) continue;
        count(changes[i].first, uuid, waiting);
      }
    }
  }

  // How many items each queue held, over time.
  void depths() {
    for (const analysis::QueueUse& use : analysis_.queues) {
      if (use.depth.empty()) continue;
      const std::uint64_t uuid =
          counter_track(use.process, "items in queue " + printable(use.name));
      for (const analysis::QueueUse::Point& point : use.depth) {
        count(point.ns, uuid, static_cast<std::int64_t>(point.items));
      }
    }
  }

  std::uint64_t counter_track(std::uint32_t process, const std::string& name) {
    const std::uint64_t uuid = ++last_uuid_;
    descriptor([&](pbf_writer& writer) {
      writer.add_uint64(descriptor_field::uuid, uuid);
      if (const auto parent = processes_.find(process); parent != processes_.end()) {
        writer.add_uint64(descriptor_field::parent_uuid, parent->second);
      }
      writer.add_string(descriptor_field::name, name);
      std::string counter;
      pbf_writer(counter).add_enum(counter_field::unit, counter_field::kCount);
      writer.add_message(descriptor_field::counter, counter);
    });
    return uuid;
  }

  void count(std::uint64_t when, std::uint64_t track, std::int64_t n) {
    event(when, track, event_field::counter,
          [&](pbf_writer& writer) { writer.add_int64(event_field::counter_value, n); });
  }

  const Analysis& analysis_;
  std::string bytes_, fresh_;
  std::uint64_t last_uuid_ = 0;
  std::map<std::uint32_t, std::uint64_t> processes_;  // by serial
  std::vector<std::uint64_t> tracks_;                 // of lives
  std::vector<Flow> flows_;                           // by life, then by wait
  std::map<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, trace::Kind, const std::string*>,
           std::pair<std::string, std::string>>
      texts_;
  Interned categories_{interned_field::event_categories}, names_{interned_field::event_names},
      note_names_{interned_field::debug_annotation_names},
      note_values_{interned_field::debug_annotation_string_values};
};

}  // namespace

std::string perfetto(const Analysis& analysis) { return Perfetto(analysis).bytes(); }

}  // namespace thrum::report
