// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The memory that observed processes write to, filled with anything, through the collector, the
// wait-for graph, the live view, and what the recording then holds.
//
// The input is a list of steps: what (1 byte), which (1), where (2), how many bytes (1), the bytes.
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "analysis/collector.h"
#include "analysis/wait_graph.h"
#include "report/live.h"
#include "report/reports.h"

using namespace thrum;

namespace {

// A process of whom it is certain that there is none: nothing is asked of the machine.
constexpr std::uint32_t kNobody = 0x7fffffff;

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  bool empty() const { return size_ == 0; }
  std::uint32_t number(std::size_t bytes) {
    std::uint32_t n = 0;
    for (std::size_t i = 0; i < bytes && size_ != 0; ++i, --size_)
      n |= std::uint32_t{*data_++} << 8 * i;
    return n;
  }
  void take(void* to, std::size_t room) {
    const std::size_t n = std::min(std::min<std::size_t>(number(1), room), size_);
    std::memcpy(to, data_, n);
    data_ += n;
    size_ -= n;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

template <class Part>
void write_over(Part& part, std::uint32_t where, Input& input) {
  const std::size_t at = where % sizeof part;
  input.take(reinterpret_cast<unsigned char*>(&part) + at, sizeof part - at);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string folder = [] {
    std::string name = "/tmp/fuzz-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) __builtin_trap();
    return name;
  }();
  const std::string path = folder + "/x.thrum";
  analysis::SharedMemory memory(false);
  analysis::RecordingWriter writer(path);
  analysis::Collector collector(memory, writer);
  analysis::WaitGraph graph(
      [](std::uint32_t, std::uint64_t address, std::uint32_t* words, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) words[i] = static_cast<std::uint32_t>(address >> i);
        return true;
      });
  report::Live live;
  std::uint64_t now = 0;
  writer.write(analysis::Chunk::meta, analysis::Json{{"ns_per_tick", 1.0}});
  for (Input input(data, size); !input.empty();) {
    const std::uint32_t what = input.number(1) % 8, which = input.number(1),
                        where = input.number(2);
    switch (what) {
      case 0:
        // Not the origin and the clock, which only the watcher writes and no check could mend.
        memory->header.slots_used.store(where, std::memory_order_relaxed);
        memory->header.slot_hint.store(which, std::memory_order_relaxed);
        break;
      case 1: {
        trace::Process& process = memory->processes[which % 4];
        write_over(process, where, input);
        process.pid = kNobody - which % 4;
        break;
      }
      case 2:
      case 3:
        write_over(memory->slots[which % 8], where, input);
        break;
      case 4:
      case 5:
        write_over(memory->rings[which % 8], where, input);
        break;
      case 6:
        collector.drain();
        collector.refresh();
        break;
      default: {
        const std::vector<analysis::Moment> moments = collector.moments();
        graph.look(moments);
        live.look({now += which, moments, collector, collector.queues()});
        live.tick();
        (void)live.lines({}, which, where % 64);
      }
    }
  }
  collector.drain();
  collector.reap();
  collector.end_all();
  collector.write_symbols();
  writer.commit();
  const analysis::Recording recording = analysis::read_recording(path);
  (void)report::json(analysis::analyse(recording));
  unlink(path.c_str());
  return 0;
}
