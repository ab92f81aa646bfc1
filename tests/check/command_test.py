#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""thrum check, replay, c++ and cc as a user meets them."""

import pathlib
import re
import subprocess
import tempfile
import unittest

import command

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent


class Check(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.programs = {}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def program(self, name, *options, compiler=('c++',), suffix=''):
        path = pathlib.Path(self.folder.name) / (name + suffix)
        if path not in self.programs:
            source = HERE / 'programs' / f'{name}.cpp'
            made = command.thrum(*compiler, '-std=c++20', '-O1', '-I', ROOT / 'include', source,
                                 '-o', path, *options)
            self.assertEqual((made.returncode, made.stderr), (0, ''))
            self.programs[path] = path
        return path

    def check(self, program, *options, schedules=2000, args=()):
        return command.thrum('check', '-j', '1', '--schedules', str(schedules), *options, '--', program,
                             *args)

    def replay_line(self, run):
        found = re.search(r"thrum replay '([^']*)'", run.stdout)
        self.assertIsNotNone(found, run.stdout + run.stderr)
        return found[1]

    def test_finds_a_lost_update_and_says_where(self):
        run = self.check(self.program('lost_update'))
        self.assertEqual((run.returncode, run.stderr), (1, ''))
        self.assertIn('assertion failed: count == 2 * STEPS', run.stdout)
        self.assertRegex(run.stdout, r'lost_update\.cpp:15 loads count = 0')
        self.assertRegex(run.stdout, r'lost_update\.cpp:15 stores count = 1')
        self.assertRegex(run.stdout, r'; [12] of \d+ switch')

    def test_every_strategy_finds_it(self):
        for strategy in ('random', 'urw', 'pos', 'pct', 'dfs', 'rotation'):
            for mode in ([], ['--fork']):
                with self.subTest(strategy=strategy, mode=mode):
                    run = self.check(self.program('lost_update'), '--strategy', strategy, *mode)
                    self.assertEqual(run.returncode, 1, run.stdout)

    def test_dfs_sees_all_and_in_place_as_many_as_in_forks(self):
        counts = []
        for mode in ([], ['--fork']):
            run = self.check(self.program('counts_under_lock'), '--strategy', 'dfs', '--depth', '1',
                             *mode, schedules=100000)
            self.assertEqual(run.returncode, 0, run.stdout)
            counts.append(re.search(r'nothing found in ([\d,]+) schedules, which are all',
                                    run.stdout)[1])
        self.assertEqual(counts[0], counts[1])
        self.assertGreater(int(counts[0].replace(',', '')), 10)

    def test_the_same_seed_finds_the_same(self):
        first, second = (self.check(self.program('two_locks'), '--seed', '7') for _ in range(2))
        self.assertEqual(first.stdout, second.stdout)

    def test_a_deadlock_is_told_with_its_locks(self):
        run = self.check(self.program('two_locks'))
        self.assertEqual(run.returncode, 1)
        self.assertRegex(run.stdout, r'T\d wants right, held by T\d')
        self.assertRegex(run.stdout, r'T\d wants left, held by T\d')

    def test_replays_in_fresh_processes(self):
        program = self.program('lost_update')
        schedule = self.replay_line(self.check(program))
        runs = [command.thrum('replay', schedule, '--', program) for _ in range(3)]
        for run in runs:
            self.assertEqual(run.returncode, 1)
            self.assertIn('replayed: the same ', run.stdout)
            self.assertEqual(run.stdout, runs[0].stdout)

    def test_a_replay_of_a_changed_program_says_so(self):
        schedule = self.replay_line(self.check(self.program('lost_update')))
        changed = self.program('lost_update', '-DSTEPS=3', suffix='_changed')
        run = command.thrum('replay', schedule, '--', changed)
        self.assertIn('not the same execution: it differs', run.stdout)
        self.assertIn('has been built anew', run.stdout)

    def test_nothing_is_found_in_a_right_program(self):
        run = self.check(self.program('counts_under_lock'))
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        self.assertRegex(run.stdout, r'nothing found in 2,\d{3} schedules')

    def test_state_in_the_kernel_makes_it_fork(self):
        run = self.check(self.program('opens_a_file'), schedules=200)
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertIn('each schedule in a fork of its own: it calls open()', run.stdout)

    def test_an_execution_in_place_finds_nothing_of_those_before(self):
        run = self.check(self.program('writes_rarely'), schedules=10000)
        self.assertEqual((run.returncode, run.stderr), (0, ''), run.stdout)
        self.assertNotIn('fork', run.stdout)

    def test_a_fault_is_found_where_all_signals_are_blocked(self):
        for mode in ([], ['--fork']):
            with self.subTest(mode=mode):
                run = self.check(self.program('faults_with_signals_blocked'), *mode)
                self.assertEqual(run.returncode, 1, run.stdout)
                self.assertRegex(run.stdout, r'crash: .*faults_with_signals_blocked\.cpp:18')

    def test_threads_are_cancelled_where_posix_says(self):
        program = self.program('cancels')
        for args in ([], ['a notification']):
            with self.subTest(args=args):
                run = self.check(program, args=args)
                self.assertEqual((run.returncode, run.stderr), (0, ''), run.stdout)

    def test_a_call_that_blocks_is_named(self):
        run = self.check(self.program('reads_for_ever'), '--patience', '500ms')
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertIn('hang: it waits in read(), which thrum check does not control', run.stdout)

    def test_a_program_without_threads(self):
        program = self.program('no_threads')
        run = self.check(program)
        self.assertEqual(run.returncode, 0)
        self.assertIn('it started no thread', run.stdout)
        run = self.check(program, args=['fail'])
        self.assertEqual(run.returncode, 1)
        self.assertIn('exit status: 7', run.stdout)

    def test_each_gtest_is_a_campaign(self):
        run = self.check(self.program('gtest_two', '-lgtest_main', '-lgtest'), schedules=500)
        self.assertEqual(run.returncode, 1)
        right, wrong = run.stdout.split('Count.IsWrong\n', 1)
        self.assertIn('Count.IsRight', right)
        self.assertIn('nothing found in 500 schedules', right)
        self.assertIn('exit status: 1', wrong)
        self.assertIn("--gtest_filter=Count.IsWrong", wrong)

    def test_a_program_may_explore_choose_assume_and_note(self):
        program = self.program('says')
        run = self.check(program)
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertIn('nothing found in ', run.stdout)  # the first explore()
        self.assertIn('chooses 5', run.stdout)
        self.assertIn('"the fifth it is"', run.stdout)
        self.assertRegex(self.replay_line(run), ':t?e1$')
        run = self.check(program, args=['assume'])
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertRegex(run.stdout, r'[\d,]+ of them were left at an assume\(\)')

    def test_what_a_program_says_is_harmless_elsewhere(self):
        program = pathlib.Path(self.folder.name) / 'says_plain'
        subprocess.run(['g++', '-std=c++20', '-I', ROOT / 'include',
                        HERE / 'programs/says.cpp', '-o', program, '-pthread'], check=True)
        self.assertEqual(subprocess.run([program], check=False).returncode, 0)
        instrumented = self.program('lost_update')
        self.assertIn(subprocess.run([instrumented], check=False,
                                     stderr=subprocess.DEVNULL).returncode, (0, -6))

    def test_a_plain_program_is_checked_at_its_calls(self):
        program = pathlib.Path(self.folder.name) / 'two_locks_plain'
        subprocess.run(['g++', '-g', '-std=c++20', HERE / 'programs/two_locks.cpp', '-o', program,
                        '-pthread'], check=True)
        run = self.check(program)
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertIn('deadlock', run.stdout)
        self.assertIn('not compiled by thrum c++', run.stderr)

    def test_a_program_with_the_sanitizers_runtime_is_refused(self):
        program = pathlib.Path(self.folder.name) / 'two_locks_tsan'
        subprocess.run(['g++', '-std=c++20', '-fsanitize=thread',
                        HERE / 'programs/two_locks.cpp', '-o', program], check=True)
        run = self.check(program)
        self.assertEqual((run.returncode, run.stdout), (2, ''))
        self.assertIn('libtsan', run.stderr)
        self.assertIn('thrum c++', run.stderr)

    def test_usage_errors(self):
        for args in (['check', '--', '/no/such/program'], ['check', '--time', 'soon', '--', '/bin/ls'],
                     ['replay', 'nonsense', '--', '/bin/true'], ['check', '--', str(HERE)]):
            run = command.thrum(*args)
            self.assertEqual((run.returncode, run.stdout, run.stderr.count('\n')), (2, '', 1), args)


if __name__ == '__main__':
    unittest.main()
