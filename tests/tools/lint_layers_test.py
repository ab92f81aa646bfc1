# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
import unittest

import lint_layers
from planted import LintTest


class Layers(LintTest):
    check = staticmethod(lint_layers.check)

    def test_accepts_what_each_layer_may_include(self):
        self.assert_clean({
            'include/thrum/lock.h': '#include <atomic>\n#include "thrum/wait.h"\n',
            'src/waist/wait.cpp': '#include <sys/syscall.h>\n#include "thrum/wait.h"\n'
                                  '#include "waist/self.h"\n',
            'src/threading/lock.cpp': '#include "thrum/lock.h"\n#include "waist/self.h"\n',
            'src/trace/ring.h': '#include "thrum/observe.h"\n',
            'src/watch/doors.cpp': '#include "interpose/real.h"\n#include "trace/ring.h"\n',
            'src/check/engine.cpp': '#include "thrum/check.h"\n#include "check/memory.h"\n',
            'src/report/text.cpp': '#include <fmt/format.h>\n#include "analysis/reader.h"\n',
            'src/cli/main.cpp': '#include <CLI/CLI.hpp>\n#include "check/protocol.h"\n'
                                '#include "thrum/threading.h"\n',
        })

    def test_finds_an_include_from_a_layer_above(self):
        self.assert_found({'src/waist/wait.cpp': '\n#include "threading/lock.h"\n'},
                          ('src/waist/wait.cpp:2', 'must not include threading/lock.h'))

    def test_finds_a_public_header_that_includes_a_private_one(self):
        self.assert_found({'include/thrum/lock.h': '#include "waist/self.h"\n'},
                          ('include/thrum/lock.h:1', 'must not include waist/self.h'))

    def test_finds_a_tool_that_includes_the_library(self):
        self.assert_found({'src/watch/doors.cpp': '#include "thrum/queue.h"\n'},
                          ('src/watch/doors.cpp:1', 'must not include thrum/queue.h'))

    def test_finds_tools_that_include_each_other(self):
        self.assert_found({'src/watch/doors.cpp': '#include "check/engine.h"\n',
                           'src/check/engine.cpp': '#include "watch/doors.h"\n'},
                          ('src/check/engine.cpp:1', 'must not include watch/doors.h'),
                          ('src/watch/doors.cpp:1', 'must not include check/engine.h'))

    def test_finds_more_of_check_than_its_schedules_in_cli(self):
        self.assert_found({'src/cli/main.cpp': '#include "check/engine.h"\n'},
                          ('src/cli/main.cpp:1', 'must not include check/engine.h'))

    def test_finds_a_relative_include(self):
        self.assert_found({'src/waist/wait.cpp': '#include "self.h"\n#include "../watch/w.h"\n'},
                          ('src/waist/wait.cpp:1', 'write the path'),
                          ('src/waist/wait.cpp:2', 'write the path'))

    def test_finds_a_dependency_of_the_library(self):
        self.assert_found({'src/threading/dump.cpp': '#include <fmt/format.h>\n'},
                          ('src/threading/dump.cpp:1', 'must not depend on fmt/format.h'))

    def test_finds_a_folder_in_no_layer(self):
        self.assert_found({'src/utils/misc.h': ''}, ('src/utils/misc.h:1', 'in no layer'))

    def test_finds_each_way_to_block_outside_the_waist(self):
        for code in ('std::mutex mutex;', 'std::shared_timed_mutex mutex;',
                     'std::condition_variable changed;', 'std::counting_semaphore<> permits{1};',
                     'std::jthread thread;', 'std::future<int> result;',
                     'pthread_mutex_lock(&mutex);', 'pthread_cond_timedwait(&c, &m, &t);',
                     'sem_wait(&semaphore);',
                     'syscall(SYS_futex, &word, 0, 0);', 'std::this_thread::sleep_for(1s);',
                     'nanosleep(&time, nullptr);', 'poll(nullptr, 0, 1);', '::sleep(1);'):
            with self.subTest(code):
                self.assert_found({'src/threading/lock.cpp': f'void f() {{\n  {code}\n}}\n'},
                                  ('src/threading/lock.cpp:2', 'only the waist blocks'))
                self.assert_clean({'src/waist/wait.cpp': f'void f() {{\n  {code}\n}}\n'})

    def test_finds_a_wait_on_an_atomic_outside_the_waist(self):
        self.assert_found({'src/threading/event.cpp': 'Word word;\nEvent event;\n'
                                                      'void f() { word.wait(0); event.wait(); }\n'},
                          ('src/threading/event.cpp:3', 'std::atomic::wait on word'))

    def test_accepts_names_that_only_look_like_blocking(self):
        self.assert_clean({'src/threading/queue.cpp':
                           '#include <mutex>\nstd::lock_guard guard(lock);\nprocess.poll(1);\n'
                           'Barrier barrier(2);\nvoid pause() noexcept;\n'})

    def test_ignores_comments_and_strings(self):
        self.assert_clean({'src/trace/ring.cpp': '// std::mutex, #include "watch/doors.h"\n'
                                                 '/*\n#include "watch/doors.h"\n*/\n'
                                                 'auto s = "pthread_mutex_lock(";\n'})


if __name__ == '__main__':
    unittest.main()
