// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [list] release -> acquire of the registry's lock: the list and its owners.
//   [seqlock] publish, retract -> blocked_on: a reader that sees one new field sees the odd version
//             written before it.
//   [end] begin_process_end + is_parked, retract + park_if_ending: seq_cst puts "the end begins;
//         is it blocked?" and "no longer blocked; did the end begin?" in one order, so at least
//         one of the two sees the other.
#include "waist/self.h"

#include <pthread.h>

#include <cerrno>

#include "thrum/hazard.h"
#include "waist/sleep.h"

namespace thrum {

constinit thread_local Self tls_self{0, 0};

namespace waist {
namespace {

constinit thread_local Node tls_node;

// Below every primitive, so it can use none: a futex lock that publishes nothing.
class QuietLock {
 public:
  bool acquire(const Deadline& deadline) noexcept {
    std::uint32_t free = 0;
    if (word_.compare_exchange_strong(free, 1, std::memory_order_acquire,  // [list]
                                      std::memory_order_relaxed)) {
      return true;
    }
    if (deadline.is_poll()) return false;
    while (word_.exchange(2, std::memory_order_acquire) != 0) {  // [list]
      if (sleep(word_, 2, deadline) == Wake::timeout) {
        return word_.exchange(2, std::memory_order_acquire) == 0;  // [list]
      }
    }
    return true;
  }
  void release() noexcept {
    if (word_.exchange(0, std::memory_order_release) == 2) wake(&word_, 1);  // [list]
  }

 private:
  Word word_{0};  // 0 free, 1 held, 2 held and some may sleep
};

constinit QuietLock list_lock;
constinit Node* list_first = nullptr;  // guarded by list_lock
constinit std::atomic<std::uint64_t> next_ident{1};
constinit std::atomic<std::uint64_t> ending_ident{0};  // the thread that ends the process, or 0

pthread_key_t at_thread_exit;

// With the lock held.
void link(Node& node) noexcept {
  node.next = list_first;
  node.previous = nullptr;
  if (list_first != nullptr) list_first->previous = &node;
  list_first = &node;
}

// With the lock held.
void unlink(Node& node) noexcept {
  (node.previous != nullptr ? node.previous->next : list_first) = node.next;
  if (node.next != nullptr) node.next->previous = node.previous;
}

void tell_owner(Node& node, Gone how) noexcept {
  // relaxed: the registry's lock was held since it was written
  void* const owner = node.owner.load(std::memory_order_relaxed);
  if (owner != nullptr) node.on_gone(owner, how);
}

// glibc destroys thread_locals first, then runs the keys' destructors in up to four rounds. We
// step aside in the first, so that destructors of other keys may still use the library.
void thread_exits(void* value) noexcept {
  Node& node = *static_cast<Node*>(value);
  if (node.destructor_rounds++ == 0) {
    pthread_setspecific(at_thread_exit, &node);
    return;
  }
  list_lock.acquire(forever);
  unlink(node);
  list_lock.release();
  tell_owner(node, Gone::ended);
}

void prepare_fork() noexcept {
  list_lock.acquire(forever);  // which may sleep
  before_fork();
}
void after_fork_in_parent() noexcept {
  after_fork(Side::parent);
  list_lock.release();
}
void after_fork_in_child() noexcept {
  after_fork(Side::child);
  Node& me = tls_node;
  // The other nodes are memory that a new thread may get: forget them while they still are nodes.
  for (Node* node = list_first; node != nullptr;) {
    Node& other = *node;
    node = node->next;
    if (&other == &me) continue;
    unlink(other);
    tell_owner(other, Gone::forked);
  }
  // A thread without an id yet gets one when it needs it.
  if (tls_self.native_id != 0) tls_self.native_id = me.native_id = native_id();
  list_lock.release();
}

void set_up() noexcept {
  pthread_key_create(&at_thread_exit, thread_exits);
  pthread_atfork(prepare_fork, after_fork_in_parent, after_fork_in_child);
  hazards_are_fenced.store(!arm_barrier(), std::memory_order_relaxed);  // either way is right
}

// Returns false if the deadline passed before the registry's lock was ours; else it is.
bool lock_list_enrolled(const Deadline& deadline) noexcept {
  static constinit pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, set_up);
  if (!list_lock.acquire(deadline)) return false;
  if (tls_self.native_id == 0) {
    Node& me = tls_node;
    me.native_id = native_id();
    if (me.ident == 0) me.ident = new_ident();
    me.hazard = &tls_hazard;
    tls_self = {me.native_id, me.ident};
    link(me);
    pthread_setspecific(at_thread_exit, &me);
  }
  return true;
}

}  // namespace

std::uint64_t new_ident() noexcept {
  return next_ident.fetch_add(1, std::memory_order_relaxed);  // only unique
}

void choose_ident(std::uint64_t ident) noexcept { tls_node.ident = ident; }

Node& this_node() noexcept {
  if (tls_self.native_id == 0) [[unlikely]]
    enroll();
  return tls_node;
}

void publish(Node& me, WaitingFor& what) noexcept {
  if (what.since_ns == 0) what.since_ns = Deadline::now_ns();
  const std::uint32_t version = me.version.load(std::memory_order_relaxed);  // only we write it
  me.version.store(version + 1, std::memory_order_relaxed);
  me.kind.store(what.kind, std::memory_order_release);          // [seqlock]
  me.object.store(what.object, std::memory_order_release);      // [seqlock]
  me.name.store(what.name, std::memory_order_release);          // [seqlock]
  me.since_ns.store(what.since_ns, std::memory_order_release);  // [seqlock]
  me.version.store(version + 2, std::memory_order_release);     // [seqlock]
}

void retract(Node& me) noexcept {
  me.kind.store(Waitable::nothing, std::memory_order_seq_cst);  // [end]
  park_if_ending(me);
}

void park_if_ending(Node& me) noexcept {
  const std::uint64_t ending = ending_ident.load(std::memory_order_seq_cst);  // [end]
  if (ending != 0 && ending != me.ident) [[unlikely]] {
    me.kind.store(Waitable::word, std::memory_order_seq_cst);  // [end]
    park_for_good();
  }
}

WaitingFor blocked_on(const Node& node) noexcept {
  for (int attempt = 0; attempt < 64; ++attempt) {
    const std::uint32_t version = node.version.load(std::memory_order_acquire);  // [seqlock]
    const WaitingFor what{node.kind.load(std::memory_order_acquire),             // [seqlock]
                          node.object.load(std::memory_order_acquire),           // [seqlock]
                          node.name.load(std::memory_order_acquire),             // [seqlock]
                          node.since_ns.load(std::memory_order_acquire)};        // [seqlock]
    if (what.kind == Waitable::nothing) return {};
    if (version % 2 == 0 && node.version.load(std::memory_order_relaxed) == version) return what;
  }
  return {};  // it sleeps and wakes faster than we can read: it is not blocked
}

Registry::Registry() noexcept : Registry(Deadline(forever)) {}
Registry::Registry(const Deadline& deadline) noexcept : held_(lock_list_enrolled(deadline)) {}
Registry::~Registry() {
  if (held_) list_lock.release();
}
Node* Registry::first() const noexcept { return list_first; }

void begin_process_end() noexcept {
  ending_ident.store(this_node().ident, std::memory_order_seq_cst);  // [end]
}

bool is_parked(const Node& node) noexcept {
  return node.kind.load(std::memory_order_seq_cst) != Waitable::nothing;  // [end]
}

}  // namespace waist

void enroll() noexcept {
  (void)waist::lock_list_enrolled(forever);
  waist::list_lock.release();
}

}  // namespace thrum
