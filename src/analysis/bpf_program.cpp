// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/bpf_program.h"

#include <cstddef>
#include <utility>

namespace thrum::analysis {
namespace {

// r0 results, r1 to r5 arguments, r6 to r9 are kept over calls, r10 the end of the stack.
enum Register : std::uint8_t { r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, stack };

class Assembler {
 public:
  // A place in the code, known when it is bound. Jumps go forward only.
  using Label = std::size_t;
  Label label() {
    labels_.push_back(0);
    return labels_.size() - 1;
  }
  void bind(Label label) { labels_[label] = code_.size(); }

  void move(Register to, Register from) { add(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0); }
  void set(Register to, std::int32_t value) { add(BPF_ALU64 | BPF_MOV | BPF_K, to, r0, 0, value); }
  void add_to(Register to, std::int32_t value) {
    // NOLINTNEXTLINE(misc-redundant-expression): two names of 0
    add(BPF_ALU64 | BPF_ADD | BPF_K, to, r0, 0, value);
  }
  void add_to(Register to, Register what) { add(BPF_ALU64 | BPF_ADD | BPF_X, to, what, 0, 0); }
  void or_with(Register to, std::int32_t bits) { add(BPF_ALU64 | BPF_OR | BPF_K, to, r0, 0, bits); }
  void and_with(Register to, std::int32_t bits) {
    add(BPF_ALU64 | BPF_AND | BPF_K, to, r0, 0, bits);
  }
  void shift_up(Register to, std::int32_t bits) {
    add(BPF_ALU64 | BPF_LSH | BPF_K, to, r0, 0, bits);
  }
  // size: BPF_B, BPF_H, BPF_W, BPF_DW
  void get(std::uint8_t size, Register to, Register from, std::int64_t offset) {
    add(BPF_LDX | BPF_MEM | size, to, from, static_cast<std::int16_t>(offset), 0);
  }
  void put(std::uint8_t size, Register to, std::int32_t offset, Register from) {
    add(BPF_STX | BPF_MEM | size, to, from, static_cast<std::int16_t>(offset), 0);
  }
  void put_value(std::uint8_t size, Register to, std::int32_t offset, std::int32_t value) {
    add(BPF_ST | BPF_MEM | size, to, r0, static_cast<std::int16_t>(offset), value);
  }
  void add_atomically(Register to, Register from) {
    add(BPF_STX | BPF_ATOMIC | BPF_DW, to, from, 0, BPF_ADD);
  }
  void map(Register to, int file) { wide(to, BPF_PSEUDO_MAP_FD, file); }
  void map_value(Register to, int file) { wide(to, BPF_PSEUDO_MAP_VALUE, file); }
  void call(std::int32_t helper) { add(BPF_JMP | BPF_CALL, r0, r0, 0, helper); }

  void jump(Label to) { branch(BPF_JMP | BPF_JA, r0, r0, 0, to); }
  void jump_if_zero(Register a, Label to) { branch(BPF_JMP | BPF_JEQ | BPF_K, a, r0, 0, to); }
  void jump_unless_zero(Register a, Label to) { branch(BPF_JMP | BPF_JNE | BPF_K, a, r0, 0, to); }
  void jump_if_is(Register a, std::uint32_t value, Label to) {
    // Of 32 bits: a larger one would be a negative number of 64.
    branch(BPF_JMP32 | BPF_JEQ | BPF_K, a, r0, static_cast<std::int32_t>(value), to);
  }
  void jump_if_same(Register a, Register b, Label to) {
    branch(BPF_JMP | BPF_JEQ | BPF_X, a, b, 0, to);
  }
  void jump_unless_same(Register a, Register b, Label to) {
    branch(BPF_JMP | BPF_JNE | BPF_X, a, b, 0, to);
  }
  void jump_if_any(Register a, std::int32_t bits, Label to) {
    branch(BPF_JMP | BPF_JSET | BPF_K, a, r0, bits, to);
  }

  BpfCode leave() {
    set(r0, 0);
    add(BPF_JMP | BPF_EXIT, r0, r0, 0, 0);
    for (const auto& [at, label] : jumps_) {
      code_[at].off = static_cast<std::int16_t>(labels_[label] - at - 1);
    }
    return std::move(code_);
  }

 private:
  void add(int code, Register to, Register from, std::int16_t offset, std::int32_t value) {
    bpf_insn one{};
    one.code = static_cast<std::uint8_t>(code);
    one.dst_reg = to & 0xf;
    one.src_reg = from & 0xf;
    one.off = offset;
    one.imm = value;
    code_.push_back(one);
  }
  void wide(Register to, int what, std::int32_t value) {
    add(BPF_LD | BPF_IMM | BPF_DW, to, static_cast<Register>(what), 0, value);
    code_.push_back({});
  }
  void branch(int code, Register a, Register b, std::int32_t value, Label to) {
    jumps_.emplace_back(code_.size(), to);
    add(code, a, b, 0, value);
  }

  BpfCode code_;
  std::vector<std::size_t> labels_;
  std::vector<std::pair<std::size_t, Label>> jumps_;
};

// On the stack: two keys, which are process ids, a third, which is a processor's, the time, and
// what was copied from the kernel.
constexpr std::int32_t kKey = -4, kOtherKey = -8, kPointer = -16, kLive = -20, kProcessor = -24,
                       kNs = -32;
constexpr std::uint32_t kArgument = 8;  // bytes of one argument of a hook

// Goes to `not_ours` if the process whose id is in r1, and at `key`, is not observed. Nearly all
// are told by comparison with the first: each line of memory that is not touched counts here.
void find_process(Assembler& code, const BpfMaps& maps, std::int32_t key,
                  Assembler::Label not_ours) {
  const auto ours = code.label();
  code.jump_if_is(r1, maps.first, ours);
  code.jump_if_zero(r1, not_ours);  // idle
  code.map_value(r2, maps.observed);
  code.get(BPF_W, r3, r2, offsetof(Observed, others));
  code.jump_if_zero(r3, not_ours);
  code.map(r1, maps.processes);
  code.move(r2, stack);
  code.add_to(r2, key);
  code.call(BPF_FUNC_map_lookup_elem);
  code.jump_if_zero(r0, not_ours);
  code.bind(ours);
}

struct NoRoom {
  Assembler::Label in_ring, ring;  // to have it counted; then on to `out`
  Assembler::Label out;
};

// r6 = the ring of this processor, `to` = where its next event goes, with the time in it.
//
// Neither lock nor other call is needed: the hooks run where nobody can take the processor away,
// and no interrupt comes. One can where a thread wakes itself, who is left out before this.
void begin_event(Assembler& code, const BpfMaps& maps, Register to, const NoRoom& no_room) {
  constexpr std::int32_t kBits = 5;
  static_assert(sizeof(SchedulerEvent) == 1u << kBits);
  const auto room = code.label();
  code.call(BPF_FUNC_ktime_get_ns);
  code.put(BPF_DW, stack, kNs, r0);
  code.call(BPF_FUNC_get_smp_processor_id);
  code.put(BPF_W, stack, kProcessor, r0);
  code.map(r1, maps.rings);
  code.move(r2, stack);
  code.add_to(r2, kProcessor);
  code.call(BPF_FUNC_map_lookup_elem);  // of an array: some instructions, no call
  code.jump_if_zero(r0, no_room.ring);
  code.move(r6, r0);
  code.get(BPF_DW, r1, r6, offsetof(BpfRing, head));
  code.get(BPF_DW, r2, r6, offsetof(BpfRing, limit));
  code.jump_unless_same(r1, r2, room);
  code.get(BPF_DW, r2, r6, offsetof(BpfRing, tail));
  code.add_to(r2, static_cast<std::int32_t>(maps.ring_events));
  code.jump_if_same(r1, r2, no_room.in_ring);
  code.put(BPF_DW, r6, offsetof(BpfRing, limit), r2);
  code.bind(room);
  code.and_with(r1, static_cast<std::int32_t>(maps.ring_events - 1));
  code.shift_up(r1, kBits);
  code.move(to, r6);
  code.add_to(to, sizeof(BpfRing));
  code.add_to(to, r1);
  code.get(BPF_DW, r1, stack, kNs);
  code.put(BPF_DW, to, offsetof(SchedulerEvent, ns), r1);
}

// The reader sees the event before its number: this processor architecture keeps stores in order.
void end_event(Assembler& code) {
  code.get(BPF_DW, r1, r6, offsetof(BpfRing, head));
  code.add_to(r1, 1);
  code.put(BPF_DW, r6, offsetof(BpfRing, head), r1);
}

void count_losses(Assembler& code, const BpfMaps& maps, const NoRoom& no_room) {
  code.bind(no_room.in_ring);
  code.get(BPF_DW, r1, r6, offsetof(BpfRing, lost));
  code.add_to(r1, 1);
  code.put(BPF_DW, r6, offsetof(BpfRing, lost), r1);
  code.jump(no_room.out);
  code.bind(no_room.ring);
  code.map_value(r1, maps.observed);
  code.add_to(r1, offsetof(Observed, lost));
  code.set(r2, 1);
  code.add_atomically(r1, r2);
  code.bind(no_room.out);
}

// Copies so many bytes at `from` + `offset` to `to` on the stack. What cannot be read is 0.
void read_kernel(Assembler& code, std::int32_t to, std::int32_t bytes, Register from,
                 std::uint32_t offset) {
  code.move(r3, from);
  code.add_to(r3, static_cast<std::int32_t>(offset));
  code.move(r1, stack);
  code.add_to(r1, to);
  code.set(r2, bytes);
  code.call(BPF_FUNC_probe_read_kernel);
}

}  // namespace

std::optional<KernelPlaces> KernelPlaces::of(const KernelTypes& types) {
  using Kind = KernelTypes::Kind;
  KernelPlaces places;
  bool all = true;
  const auto type = [&](std::uint32_t& into, const char* name) {
    into = types.find(Kind::type_name, name);
    all = all && into != 0;
  };
  const auto member = [&](std::uint32_t& into, const char* structure, const char* name) {
    const auto offset = types.offset(structure, name);
    all = all && offset.has_value() && *offset < 0x7fff;
    into = offset.value_or(0);
  };
  type(places.sched_switch, "btf_trace_sched_switch");
  type(places.sched_waking, "btf_trace_sched_waking");
  type(places.sched_wakeup_new, "btf_trace_sched_wakeup_new");
  member(places.pid, "task_struct", "pid");
  member(places.tgid, "task_struct", "tgid");
  member(places.signal, "task_struct", "signal");
  member(places.live, "signal_struct", "live");
  member(places.number, "pt_regs", "orig_ax");
  member(places.first, "pt_regs", "di");
  // The hook's own, whether it was preempted, both threads, and since 5.18 the state.
  constexpr std::uint32_t kSwitchArguments = 5;
  if (!all || types.arguments(places.sched_switch) != kSwitchArguments) return {};
  return places;
}

// (bool preempt, prev, next, unsigned prev_state)
BpfCode switch_program(const KernelPlaces& places, const BpfMaps& maps) {
  constexpr std::int32_t kDead = 0x80;  // TASK_DEAD
  constexpr std::int32_t kNotInACall = SchedulerEvent::kPreempted | SchedulerEvent::kEnded;
  Assembler code;
  const auto from_other = code.label(), to_other = code.label(), whose = code.label(),
             not_idle = code.label(), preempted = code.label(), sleeps = code.label(),
             ends = code.label(), write = code.label(), in_a_call = code.label(),
             written = code.label(), last = code.label(), ours = code.label();
  const NoRoom no_room{code.label(), code.label(), code.label()};
  const auto out = no_room.out;
  code.move(r6, r1);
  code.get(BPF_DW, r7, r6, 1 * kArgument);  // prev
  code.get(BPF_DW, r8, r6, 2 * kArgument);  // next
  code.set(r9, 0);                          // flags
  code.get(BPF_W, r1, r7, places.tgid);
  code.put(BPF_W, stack, kKey, r1);
  find_process(code, maps, kKey, from_other);
  code.or_with(r9, SchedulerEvent::kFromOurs);
  code.bind(from_other);

  code.get(BPF_W, r1, r8, places.tgid);
  code.put(BPF_W, stack, kOtherKey, r1);
  code.get(BPF_W, r2, stack, kKey);
  code.jump_unless_same(r1, r2, to_other);
  code.jump_if_zero(r9, out);
  code.or_with(r9, SchedulerEvent::kToOurs | SchedulerEvent::kToOwn);
  code.jump(whose);
  code.bind(to_other);
  find_process(code, maps, kOtherKey, whose);
  code.or_with(r9, SchedulerEvent::kToOurs);
  code.bind(whose);
  code.jump_if_zero(r9, out);

  code.get(BPF_W, r1, r8, places.pid);
  code.jump_unless_zero(r1, not_idle);
  code.or_with(r9, SchedulerEvent::kToIdle);
  code.bind(not_idle);
  code.get(BPF_DW, r1, r6, 0 * kArgument);
  code.jump_unless_zero(r1, preempted);
  code.get(BPF_DW, r1, r6, 3 * kArgument);
  code.jump_unless_zero(r1, sleeps);
  code.bind(preempted);
  code.or_with(r9, SchedulerEvent::kPreempted);
  code.jump(write);
  code.bind(sleeps);
  code.jump_if_any(r1, kDead, ends);
  code.jump(write);
  code.bind(ends);
  code.or_with(r9, SchedulerEvent::kEnded);

  code.bind(write);
  begin_event(code, maps, r3, no_room);
  code.get(BPF_W, r1, r7, places.pid);
  code.put(BPF_W, r3, offsetof(SchedulerEvent, tid), r1);
  code.get(BPF_W, r1, r8, places.pid);
  code.put(BPF_W, r3, offsetof(SchedulerEvent, other), r1);
  code.put(BPF_W, r3, offsetof(SchedulerEvent, flags), r9);
  code.jump_if_any(r9, kNotInACall, written);
  code.jump_if_any(r9, SchedulerEvent::kFromOurs, in_a_call);
  code.bind(written);
  code.put_value(BPF_W, r3, offsetof(SchedulerEvent, call), -1);
  const auto publish = code.label();
  code.jump(publish);
  code.bind(in_a_call);
  code.move(r8, r3);
  code.move(r1, r7);
  code.call(BPF_FUNC_task_pt_regs);
  code.get(BPF_DW, r1, r0, places.number);
  code.put(BPF_W, r8, offsetof(SchedulerEvent, call), r1);
  code.get(BPF_DW, r1, r0, places.first);
  code.put(BPF_DW, r8, offsetof(SchedulerEvent, argument), r1);
  code.bind(publish);
  end_event(code);

  // The id of a process may be another's when its last thread has gone. (That of the first one is
  // not, while its parent has not heard of its end, which is also ours: then all is over.)
  code.jump_if_any(r9, SchedulerEvent::kEnded, last);
  code.jump(out);
  code.bind(last);
  code.jump_if_any(r9, SchedulerEvent::kFromOurs, ours);
  code.jump(out);
  code.bind(ours);
  // task->signal->live, by copies: for a pointer that is followed the verifier goes through all
  // types of the kernel, by name, several times; that is milliseconds.
  read_kernel(code, kPointer, sizeof(std::uint64_t), r7, places.signal);
  code.get(BPF_DW, r3, stack, kPointer);
  read_kernel(code, kLive, sizeof(std::uint32_t), r3, places.live);
  code.get(BPF_W, r1, stack, kLive);
  code.jump_unless_zero(r1, out);
  code.map(r1, maps.processes);
  code.move(r2, stack);
  code.add_to(r2, kKey);
  code.call(BPF_FUNC_map_delete_elem);
  code.jump(out);

  count_losses(code, maps, no_room);
  return code.leave();
}

// (p): told where it is let go, so that `current` did it, by the call that it is in; unless an
// interrupt came to it meanwhile, which is for the reader to judge from that call.
BpfCode waking_program(const KernelPlaces& places, const BpfMaps& maps) {
  Assembler code;
  const NoRoom no_room{code.label(), code.label(), code.label()};
  code.get(BPF_DW, r7, r1, 0 * kArgument);
  code.get(BPF_W, r1, r7, places.tgid);
  code.put(BPF_W, stack, kKey, r1);
  find_process(code, maps, kKey, no_room.out);
  code.call(BPF_FUNC_get_current_task_btf);
  code.move(r8, r0);
  // Who is woken before he left his processor goes on as if nothing had been.
  code.get(BPF_W, r1, r7, places.pid);
  code.get(BPF_W, r2, r8, places.pid);
  code.jump_if_same(r1, r2, no_room.out);
  begin_event(code, maps, r9, no_room);
  code.get(BPF_W, r1, r7, places.pid);
  code.put(BPF_W, r9, offsetof(SchedulerEvent, tid), r1);
  code.get(BPF_W, r1, r8, places.pid);
  code.put(BPF_W, r9, offsetof(SchedulerEvent, other), r1);
  code.put_value(BPF_W, r9, offsetof(SchedulerEvent, flags), SchedulerEvent::kWake);
  code.move(r1, r8);
  code.call(BPF_FUNC_task_pt_regs);
  code.get(BPF_DW, r1, r0, places.number);
  code.put(BPF_W, r9, offsetof(SchedulerEvent, call), r1);
  end_event(code);
  code.jump(no_room.out);
  count_losses(code, maps, no_room);
  return code.leave();
}

// (p): `current` is its parent.
BpfCode birth_program(const KernelPlaces& places, const BpfMaps& maps) {
  Assembler code;
  const auto out = code.label(), is_process = code.label();
  code.get(BPF_DW, r7, r1, 0 * kArgument);
  code.call(BPF_FUNC_get_current_task_btf);
  code.get(BPF_W, r8, r0, places.tgid);
  code.get(BPF_W, r1, r7, places.tgid);
  code.jump_unless_same(r1, r8, is_process);
  code.jump(out);
  code.bind(is_process);
  code.put(BPF_W, stack, kOtherKey, r1);
  code.put(BPF_W, stack, kKey, r8);
  code.move(r1, r8);
  find_process(code, maps, kKey, out);
  code.map(r1, maps.processes);
  code.move(r2, stack);
  code.add_to(r2, kOtherKey);
  code.move(r3, stack);
  code.add_to(r3, kKey);
  code.set(r4, BPF_ANY);
  code.call(BPF_FUNC_map_update_elem);
  code.map_value(r1, maps.observed);
  code.put_value(BPF_W, r1, offsetof(Observed, others), 1);
  code.bind(out);
  return code.leave();
}

}  // namespace thrum::analysis
