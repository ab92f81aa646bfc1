#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""thrum check, replay, c++ and cc as a user meets them."""

import json
import os
import pathlib
import re
import shutil
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
        return command.thrum('check', '-j', '1', '--schedules', str(schedules), *map(str, options), '--', program,
                             *args)

    def replay_line(self, run):
        found = re.search(r"thrum replay '([^']*)'", run.stdout)
        self.assertIsNotNone(found, run.stdout + run.stderr)
        return found[1]

    def test_finds_a_lost_update_and_says_where(self):
        run = self.check(self.program('lost_update'))
        self.assertEqual((run.returncode, run.stderr), (1, ''))
        self.assertIn('assertion failed: count == 2 * STEPS', run.stdout)
        self.assertIn('lines of lost_update.cpp', run.stdout)
        self.assertRegex(run.stdout, r':\d+ loads count = 0')
        self.assertRegex(run.stdout, r':\d+ stores count = 1')

    def test_no_more_preemptions_are_shown_than_are_needed(self):
        for name in ('lost_update', 'two_locks'):
            for seed in range(1, 6):
                with self.subTest(name=name, seed=seed):
                    run = self.check(self.program(name), '--seed', str(seed))
                    self.assertRegex(run.stdout, r'1 of \d+ switches needed, 1 preemption\n')

    def test_every_strategy_finds_it(self):
        for strategy in ('random', 'urw', 'surw', 'pos', 'rff', 'pct', 'dfs', 'rotation'):
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

    def schedules_seen(self, *args, **options):
        run = self.check(*args, **options)
        self.assertEqual(run.returncode, 0, run.stdout)
        return run.stdout

    def test_dfs_goes_on_in_forks_where_it_was_in_place(self):
        program = self.program('opens_a_file')
        in_place, in_forks = (self.schedules_seen(program, '--strategy', 'dfs', '--depth', '1', *mode,
                                                  schedules=100000) for mode in ([], ['--fork']))
        self.assertIn('each schedule in a fork of its own: it calls open()', in_place)
        self.assertRegex(in_forks, r'nothing found in \d{2,} schedules, which are all there are')
        self.assertIn(in_forks, in_place)

    def test_dfs_goes_on_after_what_does_not_come_to_its_end(self):
        # Left at an assume(), or cut off: in place, the process is gone then.
        for program, args, options, ends in (
                ('says', ['assume'], [], r'nothing found in \d+ schedules, which are all there are\n'
                                         r'  \d+ of them were left at an assume\(\)'),
                ('polls', [], ['--steps', '30'], r'nothing found in \d+ schedules, [\d.]+ s\n'
                                                             r'  \d+ more were too long')):
            with self.subTest(program=program):
                seen = [self.schedules_seen(self.program(program), '--strategy', 'dfs', '--depth', '2', *options,
                                            *mode, args=args, schedules=100000) for mode in ([], ['--fork'])]
                self.assertRegex(seen[0], ends)
                self.assertEqual(*(re.findall(r'([\d,]+) (?:schedules|of them|more)', text) for text in seen))

    def test_the_same_seed_finds_the_same(self):
        for strategy in ('rotation', 'surw', 'rff'):
            with self.subTest(strategy=strategy):
                first, second = (self.check(self.program('two_locks'), '--seed', '7', '--strategy', strategy)
                                 for _ in range(2))
                self.assertEqual(first.stdout, second.stdout)

    def finds_what_others_do_not(self, strategy, program, failed, most, others, most_of_others):
        program = self.program(program)
        for seed in range(1, 4):
            with self.subTest(seed=seed):
                run = self.check(program, '--strategy', strategy, '--seed', seed, schedules=most)
                self.assertIn(f'assertion failed: {failed}', run.stdout)
                self.assertRegex(run.stdout, fr'found in schedule [\d,]+ \({strategy}\)')
                for other in others:
                    run = self.check(program, '--strategy', other, '--seed', seed, schedules=most_of_others)
                    self.assertIn('nothing found', run.stdout)

    def test_surw_finds_one_order_of_many(self):
        # One of 924, and of those that would be found in 10,000 schedules of a random walk there are none.
        self.finds_what_others_do_not('surw', 'one_order_of_many', '(order != ', 20000, ('random', 'urw'), 10000)

    def test_rff_finds_rare_reads_of_rare_writes(self):
        self.finds_what_others_do_not('rff', 'rare_reads', '!heard', 2000, ('random', 'urw', 'pos', 'pct'), 2000)

    def test_schedules_that_are_too_long_are_not_counted_as_seen(self):
        program = self.program('polls')
        run = self.check(program, '--steps', '60', '--strategy', 'pct', schedules=300)
        self.assertEqual(run.returncode, 0, run.stdout)
        whole, more = re.search(r'nothing found in (\d+) schedules, .*\n  (\d+) more were too long, and cut off '
                                r'after 60 steps \(--steps\)\n', run.stdout).groups()
        self.assertEqual(int(whole) + int(more), 300)
        run = self.check(program, schedules=20, args=['for ever'])
        self.assertEqual((run.returncode, run.stdout),
                         (3, '  nothing is known: all of 20 schedules were too long, and cut off after 20,000 steps '
                             '(--steps)\n'))
        run = self.check(program, '--json', schedules=20, args=['for ever'])
        self.assertEqual((run.returncode, json.loads(run.stdout)['end']), (3, 'too long'))

    def test_a_schedule_that_is_too_long_to_be_kept_is_said_to_be(self):
        run = self.check(self.program('ends_alternating'), '--strategy', 'random', '--steps', '1000000')
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertIn('its schedule is too long to be kept: more than 8,192 switches', run.stdout)
        self.assertNotIn('thrum replay', run.stdout)

    def test_a_thread_has_one_id_however_it_asks(self):
        self.assertNotIn('fork', self.schedules_seen(self.program('asks_its_id')))

    def test_a_deadlock_is_told_with_its_locks(self):
        run = self.check(self.program('two_locks'))
        self.assertEqual(run.returncode, 1)
        self.assertIn('T1 wants right, held by T2, at two_locks.cpp:12', run.stdout)
        self.assertIn('T2 wants left, held by T1, at two_locks.cpp:16', run.stdout)

    def test_replays_in_fresh_processes(self):
        program = self.program('lost_update')
        schedule = self.replay_line(self.check(program))
        runs = [command.thrum('replay', schedule, '--', program) for _ in range(3)]
        for run in runs:
            self.assertEqual(run.returncode, 1)
            self.assertIn('replayed: the same ', run.stdout)
            self.assertEqual(run.stdout, runs[0].stdout)

    def test_a_replay_of_a_changed_program_says_where_it_differs(self):
        schedule = self.replay_line(self.check(self.program('lost_update')))
        changed = self.program('lost_update', '-DSTEPS=3', suffix='_changed')
        run = command.thrum('replay', schedule, '--', changed)
        self.assertIn('not the same execution: it differs after the last switch; the program has been built '
                      'anew since', run.stdout)
        changed = self.program('lost_update', '-DBEFORE', suffix='_changed_before')
        run = command.thrum('replay', schedule, '--', changed)
        self.assertRegex(run.stdout, r'it differs before switch 1 of 1 \(step \d of thread 1\)')

    def test_in_place_it_begins_with_main_even_if_that_ended_first(self):
        program = self.program('leaves_early')
        for strategy in ('random', 'pos', 'pct'):
            with self.subTest(strategy=strategy):
                run = self.check(program, '--strategy', strategy)
                self.assertEqual(run.returncode, 1)
                self.assertNotIn('in a fork of its own', run.stdout)

    def test_with_system_threads_it_replays_the_same(self):
        for name in ('lost_update', 'two_locks', 'many_threads', 'leaves_early'):
            with self.subTest(name=name):
                program = self.program(name)
                schedule = self.replay_line(self.check(program))
                fibers = command.thrum('replay', schedule, '--', program)
                threads = command.thrum('replay', '--threads', schedule, '--', program)
                self.assertEqual(threads.returncode, 1)
                self.assertIn('replayed: the same ', threads.stdout)
                self.assertEqual(threads.stdout, fibers.stdout)

    def gdb(self, name, *commands):
        program = self.program(name, '-O0', suffix='_O0')
        schedule = self.replay_line(self.check(program))
        run = subprocess.run([command.THRUM, 'replay', '--gdb', schedule, '--', program, 'a b', "c'd"],
                             input='\n'.join([*commands, 'kill', 'quit', '']), text=True,
                             capture_output=True, check=False, env=command.environment(HOME=self.folder.name))
        self.assertIn('replayed: the same ', run.stdout)
        return run.stdout

    @unittest.skipUnless(shutil.which('gdb'), 'there is no gdb: ci/setup.sh --all brings it')
    def test_a_debugger_sees_all_threads_where_they_are(self):
        said = self.gdb('two_locks', 'info threads', 'thread apply all backtrace')
        self.assertIn('Breakpoint 1, ', said)
        self.assertEqual(len(re.findall(r'^\*? +\d+ +Thread ', said, re.MULTILINE)), 3, said)
        stacks = re.split(r'^Thread \d+ \(', said, flags=re.MULTILINE)[1:]
        self.assertEqual(len(stacks), 3)
        for name, line in (('"T1"', 12), ('"T2"', 16), ('"two_locks', 18)):
            [stack] = [stack for stack in stacks if name in stack.splitlines()[0]]
            self.assertRegex(stack, rf'two_locks\.cpp:{line}\b')

    @unittest.skipUnless(shutil.which('gdb'), 'there is no gdb: ci/setup.sh --all brings it')
    def test_in_a_debugger_it_runs_again_from_the_beginning(self):
        said = self.gdb('lost_update', 'run', 'backtrace 5', 'info proc cmdline')
        self.assertEqual(said.count('hit Breakpoint 1, '), 2, said)
        self.assertEqual(len(re.findall(r'main \(\)\s+at ', said)), 1, said)
        self.assertIn("a b", said)

    def test_without_a_debugger_it_says_so(self):
        program = self.program('two_locks')
        schedule = self.replay_line(self.check(program))
        run = command.thrum('replay', '--gdb', schedule, '--', program, PATH='/nowhere')
        self.assertEqual((run.returncode, run.stderr), (3, f'thrum: {program}: gdb: No such file or directory\n'))

    def test_a_saved_test_fails_until_the_program_is_mended(self):
        program, folder = self.program('lost_update'), pathlib.Path(self.folder.name)
        script = folder / 'regression.sh'
        self.assertEqual(self.check(program, '--save-test', script).returncode, 1)
        mended = self.program('lost_update', '-DMENDED', suffix='_mended')
        for args, code, said in (([], 1, 'FAIL: '), ([program], 1, 'FAIL: '), ([mended], 0, 'PASS: '),
                                 (['/no/such/program'], 2, 'NOT RUN: ')):
            with self.subTest(args=args):
                run = subprocess.run([script, *args], env={**os.environ, 'THRUM': command.THRUM}, text=True,
                                     capture_output=True, check=False)
                self.assertEqual(run.returncode, code, run.stdout + run.stderr)
                self.assertIn(said, run.stdout + run.stderr)

    def test_files_that_cannot_be_made_are_told_before_the_search(self):
        folder = pathlib.Path(self.folder.name)
        there = folder / 'there.sh'
        there.write_text('mine')
        for option, path, why in (
                ('--save-test', there, 'there is such a file, and it is not written over'),
                ('--save-test', '/no/such/folder/x', 'No such file or directory'),
                ('--html', '/no/such/folder/x', 'No such file or directory'),
                ('--html', folder, 'Is a directory')):
            with self.subTest(option=option, path=path):
                run = self.check(self.program('lost_update'), option, path)
                self.assertEqual((run.returncode, run.stdout, run.stderr),
                                 (2, '', f'thrum: {path}: {why}\n'))
        self.assertEqual(there.read_text(), 'mine')

    def test_json_is_a_line_for_each_campaign(self):
        run = self.check(self.program('gtest_two', '-lgtest_main', '-lgtest'), '--json', schedules=500)
        right, wrong = map(json.loads, run.stdout.splitlines())
        self.assertEqual((run.returncode, right['end'], wrong['end']), (1, 'budget', 'found'))
        self.assertEqual(right['schedules'], 500)
        self.assertNotIn('finding', right)
        self.assertEqual(wrong['finding']['verdict'], 'exit status')
        self.assertEqual(wrong['finding']['threads'][0], 'main')
        self.assertIn('check1:', wrong['finding']['replay'])

    def test_one_of_some_hundred_executions_in_place_is_made_again_in_a_fork(self):
        program = self.program('counts_under_lock', '-DROUNDS=200', suffix='_longer')
        for strategy in ('rotation', 'surw', 'rff', 'pct'):
            with self.subTest(strategy=strategy):
                run = self.check(program, '--json', '--strategy', strategy, schedules=3000)
                line = json.loads(run.stdout)
                self.assertEqual((line['schedules'], line['forks']), (3000, ''))  # they were the same
                self.assertGreaterEqual(line['compared'], 3000 // 512 + 2)

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

    def test_a_library_with_its_own_locks_is_not_taken_for_a_race(self):
        folder = pathlib.Path(self.folder.name)
        library = folder / 'libown_lock.so'
        subprocess.run(['g++', '-std=c++20', '-shared', '-fPIC', HERE / 'programs/own_lock.cpp',
                        '-DLIBRARY', '-o', library], check=True)
        program = self.program('own_lock', library, '-Wl,-rpath,$ORIGIN')
        run = self.check(program)
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertIn('races are no findings here: libown_lock.so was not compiled by', run.stdout)
        run = self.check(program, args=['wrong'])
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertIn('assertion failed', run.stdout)

    def test_a_program_with_clangs_runtime_is_refused(self):
        compiler = next(filter(shutil.which, ('clang++-19', 'clang++-14', 'clang++')), None)
        if compiler is None:
            return  # not installed: gcc's is another test
        program = pathlib.Path(self.folder.name) / 'two_locks_clang_asan'
        made = subprocess.run([compiler, '-std=c++20', '-fsanitize=address',
                               HERE / 'programs/two_locks.cpp', '-o', program], check=False)
        if made.returncode == 0:
            run = self.check(program)
            self.assertEqual((run.returncode, run.stdout), (2, ''))
            self.assertIn('-fsanitize=address', run.stderr)

    def test_what_cannot_be_compiled_is_said_in_a_line(self):
        source = HERE / 'programs/two_locks.cpp'
        for option in ('-static', '-fsanitize=address'):
            run = command.thrum('c++', option, source, '-o', '/dev/null')
            self.assertEqual((run.returncode, run.stderr.count('\n')), (2, 1), run.stderr)
            self.assertIn(option, run.stderr)
        self.assertIn('no input files', command.thrum('c++').stderr)
        # As configure scripts leave it to us.
        run = command.thrum('c++', '--version', CXX=f'{command.THRUM} c++')
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        # What is added anyway may be given.
        program = self.program('two_locks', '-fsanitize=thread', suffix='_given')
        self.assertEqual(self.check(program).returncode, 1)

    def test_openmp_is_said_not_to_be_controlled(self):
        run = self.check(self.program('lost_update', '-fopenmp', '-Wl,--no-as-needed', '-lgomp',
                                      suffix='_openmp'))
        self.assertIn('the threads of OpenMP are not controlled', run.stderr)

    def test_raw_clone_is_refused(self):
        run = self.check(self.program('clones'))
        self.assertEqual(run.returncode, 3)
        self.assertIn('it uses clone, which thrum check does not control', run.stderr)

    def test_a_foreign_program_is_refused(self):
        program = pathlib.Path(self.folder.name) / 'foreign'
        program.write_bytes(b'\x7fELF\1\1\1' + bytes(9) + b'\2\0\3\0\1' + bytes(400))
        program.chmod(0o755)
        run = self.check(program)
        self.assertEqual((run.returncode, run.stderr.count('\n')), (2, 1), run.stderr)
        self.assertIn('x86-64', run.stderr)

    def test_usage_errors(self):
        for args in (['check', '--', '/no/such/program'], ['check', '--time', 'soon', '--', '/bin/ls'],
                     ['replay', 'nonsense', '--', '/bin/true'], ['check', '--', str(HERE)], ['check'],
                     ['check', '--', ''], ['check', '--time', '-1s', '--', '/bin/ls'], ['check', '--time', '1e400', '--', '/bin/ls'],
                     ['check', '--time', 'nan', '--', '/bin/ls'], ['check', '--time', '5s later', '--', '/bin/ls'],
                     ['check', '--schedules', '-1', '--', '/bin/ls'], ['check', '--steps', '0', '--', '/bin/ls'],
                     ['check', '--strategy', 'luck', '--', '/bin/ls'], ['check', '--jobs', '0', '--', '/bin/ls'],
                     ['check', '--patience', '0s', '--', '/bin/ls'], ['check', '--depth', '256', '--', '/bin/ls'],
                     ['check', '--', __file__], ['replay', 'check1:-:0::::', '--', '/no/such/program'],
                     ['replay', 'check1:-:0:9.9-999999.0:::', '--', '/bin/true'],
                     ['replay', 'check1:-:0::::s0', '--', '/bin/true'],
                     ['replay', '--gdb', '--threads', 'check1:-:0::::', '--', '/bin/true'],
                     ['replay', 'check1:-:0::::'], ['replay']):
            run = command.thrum(*args)
            self.assertEqual((run.returncode, run.stdout, run.stderr.count('\n')), (2, '', 1), args)


if __name__ == '__main__':
    unittest.main()
