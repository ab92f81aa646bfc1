# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
import unittest

import lint_orders
from planted import LintTest

HEADER = '''\
// Edges
//   [handoff] release -> acquire: what one holder did
//             happens before what the next one does.
class Lock {
  std::atomic<std::uint32_t> word_{0};
};
'''
ACQUIRE = 'word_.exchange(1, std::memory_order_acquire);  // [handoff]\n'
RELEASE = 'word_.store(0, std::memory_order_release);  // [handoff]\n'
NAME = 'src/threading/lock.cpp'


class Orders(LintTest):
    check = staticmethod(lint_orders.check)

    def with_header(self, code):
        """The code is in a file whose header lists [handoff] and whose lines 1, 2 are its ends."""
        return {'include/thrum/lock.h': HEADER, NAME: ACQUIRE + RELEASE + code}

    def test_accepts_both_ends_of_a_listed_edge(self):
        self.assert_clean(self.with_header('auto n = word_.load(std::memory_order_relaxed);\n'))

    def test_accepts_an_edge_listed_in_the_source_file(self):
        self.assert_clean({NAME: HEADER + ACQUIRE + RELEASE})

    def test_accepts_an_edge_listed_in_an_included_header(self):
        self.assert_clean({'include/thrum/lock.h': HEADER,
                           'src/threading/queue.cpp':
                           '#include "thrum/lock.h"\n' + ACQUIRE + RELEASE})

    def test_accepts_the_edge_on_the_line_of_the_order_or_of_the_statement_or_above(self):
        for code in ('word_.compare_exchange_strong(mine, 0,\n'
                     '                              std::memory_order_release,  // [handoff]\n'
                     '                              std::memory_order_relaxed);\n',
                     'if (word_.compare_exchange_strong(\n'
                     '        mine, 0, std::memory_order_release,\n'
                     '        std::memory_order_relaxed)) {  // [handoff]\n}\n',
                     '// [handoff] the next holder sees\n// what we did\n'
                     'word_.store(\n    0, std::memory_order_release);\n'):
            with self.subTest(code):
                self.assert_clean(self.with_header(code))

    def test_accepts_one_operation_that_is_both_ends(self):
        for order in ('acq_rel', 'seq_cst'):
            self.assert_clean({NAME: HEADER + f'word_.fetch_add(1, std::memory_order_{order});'
                                              '  // [handoff]\n'})

    def test_accepts_cpp20_and_builtin_spellings(self):
        self.assert_clean({NAME: HEADER +
                           'word_.load(std::memory_order::acquire);  // [handoff]\n'
                           '__atomic_store_n(&w, 0, __ATOMIC_RELEASE);  // [handoff]\n'})

    def test_finds_an_operation_without_order(self):
        for code in ('word_.load();', 'word_.store(1);', 'node->next.exchange(nullptr);',
                     'word_.fetch_add(f(1,\n  2));', 'flag.test_and_set();'):
            with self.subTest(code):
                self.assert_found(self.with_header(code),
                                  (f'{NAME}:3', 'must write its memory order'))

    def test_finds_a_compare_exchange_with_one_order(self):
        self.assert_found(self.with_header('word_.compare_exchange_weak(a, b,\n'
                                           '    std::memory_order_relaxed);\n'),
                          (f'{NAME}:3', 'must write both'))

    def test_finds_a_free_function(self):
        self.assert_found(self.with_header('std::atomic_load(&word_);'),
                          (f'{NAME}:3', 'call the member'))

    def test_finds_operators_and_conversions_of_an_atomic(self):
        for code in ('++word_;', 'word_--;', 'word_ = 1;', 'word_ |= 4;', 'if (word_ == 3) f();',
                     'return word_;', 'while (word_) f();', 'if (!word_) f();', 'bool x = word_;',
                     'f(word_ & 1);', 'if (a && 0 != word_) f();', 'other.word_ = 2;'):
            with self.subTest(code):
                self.assert_found(self.with_header(code), (f'{NAME}:3', 'word_ is atomic'))

    def test_accepts_declaring_passing_and_binding_an_atomic(self):
        self.assert_clean(self.with_header('wait(word_, 1, deadline);\nWord& word = word_;\n'
                                           'wake(&word_, 1);\nLock::Lock() : word_(3) {}\n'
                                           'Word word_ = 0;\nreturn &word_;\n'))

    def test_accepts_arrays_and_containers_of_atomics(self):
        self.assert_clean(self.with_header(
            'std::atomic<int> turns_[2];\nstd::vector<std::atomic<int>> counts_;\n'
            'int n = turns_[i].load(std::memory_order_relaxed);\ncounts_ = std::move(other);\n'))

    def test_finds_an_order_without_edge(self):
        self.assert_found(self.with_header('f();  // [handoff]\n'
                                           'word_.load(std::memory_order_acquire);  // why not\n'),
                          (f'{NAME}:4', 'acquire names no [edge]'))

    def test_finds_a_fence_without_edge(self):
        self.assert_found(self.with_header('atomic_thread_fence(std::memory_order_seq_cst);\n'),
                          (f'{NAME}:3', 'seq_cst names no [edge]'))

    def test_finds_an_edge_that_is_not_listed(self):
        self.assert_found(self.with_header('word_.load(std::memory_order_acquire);  // [other]\n'),
                          (f'{NAME}:3', '[other] is not listed'))

    def test_finds_an_edge_that_a_file_not_included_lists(self):
        self.assert_found({NAME: HEADER + ACQUIRE + RELEASE, 'src/threading/event.cpp': ACQUIRE},
                          ('src/threading/event.cpp:1', '[handoff] is not listed'))

    def test_finds_an_edge_listed_twice(self):
        self.assert_found({'include/thrum/lock.h': HEADER, NAME: HEADER + ACQUIRE + RELEASE},
                          (f'{NAME}:2', 'listed twice, first at include/thrum/lock.h:2'))

    def test_finds_an_edge_without_site(self):
        self.assert_found({NAME: HEADER}, (f'{NAME}:2', '[handoff] has no site'))

    def test_finds_an_edge_without_releasing_end(self):
        self.assert_found({NAME: HEADER + ACQUIRE}, (f'{NAME}:2', 'no releasing end'))

    def test_finds_an_edge_without_acquiring_end(self):
        self.assert_found({NAME: HEADER + RELEASE}, (f'{NAME}:2', 'no acquiring end'))

    def test_ignores_comments_and_strings(self):
        self.assert_clean({NAME: '// word_.load()\n/* word_.store(1); */\nauto s = "x.load()";\n'})


if __name__ == '__main__':
    unittest.main()
