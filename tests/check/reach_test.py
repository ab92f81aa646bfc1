#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""How far thrum check reaches: what it says that it does not control, and whose races it leaves out."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

import command

HERE = pathlib.Path(__file__).parent


def descendants(pid):
    found = set()
    with contextlib.suppress(OSError):
        for task in pathlib.Path(f'/proc/{pid}/task').iterdir():
            children = set(map(int, (task / 'children').read_text().split()))
            found |= children.union(*map(descendants, children))
    return found


class Reach(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.made = set()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def program(self, name, *options, output=None):
        path = pathlib.Path(self.folder.name) / (output or name)
        if path not in self.made:
            made = command.thrum('c++', '-std=c++20', '-O1', HERE / f'programs/{name}.cpp', '-o', path,
                                 *options)
            self.assertEqual((made.returncode, made.stderr), (0, ''))
            self.made.add(path)
        return path

    def check(self, program, *options, schedules=200, args=()):
        return command.thrum('check', '-j', '1', '--schedules', str(schedules), *options,
                             '--', program, *args)

    def test_what_no_schedule_decides_is_said(self):
        program = self.program('uncontrolled')
        shared = ('locks, or words that threads wait at, may be shared with other processes: what those do '
                  'is not controlled')
        network = 'it uses the network: what comes from there, and when, is not controlled'
        processes = 'it starts processes: they are not controlled'
        timers = 'it has timers that send signals: when those come is not controlled'
        for line, those in ((shared, ('mutex', 'condition', 'rwlock', 'barrier', 'spin lock', 'semaphore', 'futex',
                                      'named semaphore', 'named memory')),
                            (network, ('network',)),
                            (processes, ('process', 'command', "command's output", 'spawned', 'spawned by name')),
                            (timers, ('timer', 'alarm', 'made timer')),
                            (None, ('own semaphore', 'own futex'))):
            for does in those:
                self.is_said(program, does, line)
        run = json.loads(self.check(program, '--json', args=['network'], schedules=20).stdout)
        self.assertEqual(len(run['not_controlled']), 1)

    def is_said(self, program, does, line):
        with self.subTest(does=does):
            run = self.check(program, args=[does], schedules=20)
            self.assertEqual((run.returncode, run.stderr), (0, ''), run.stdout)
            said = [each for each in run.stdout.splitlines() if 'not controlled' in each]
            self.assertEqual(said, [f'  {line}'] if line else [])

    def test_atomics_and_system_calls_in_assembly_are_said(self):
        program = self.program('own_asm')
        run = self.check(program)
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertEqual(run.stderr.splitlines(), [
            f'thrum: {program}: add_one(int*) has atomic instructions that are not seen: not compiled by '
            'thrum c++',
            f'thrum: {program}: own_number() has system calls in assembly that are not seen: not compiled by '
            'thrum c++'])

    def test_races_of_a_suppressed_library_are_no_findings(self):
        library = self.program('racy_library', '-DLIBRARY', '-shared', '-fPIC', output='libracy.so.1')
        program = self.program('racy_library', library, '-Wl,-rpath,$ORIGIN')
        for pattern in ('libracy.so.1', 'libracy*', '*', '*r?cy*.1', 'nothing', 'libracy', 'libracy.so.1?'):
            with self.subTest(pattern=pattern):
                run = self.check(program, '--suppress', pattern)
                is_named = pattern.startswith(('libracy*', '*')) or pattern == 'libracy.so.1'
                self.assertEqual(run.returncode, 0 if is_named else 1, run.stdout)
                self.assertEqual(f'--suppress {pattern}: no module of that name is loaded' in run.stdout,
                                 not is_named)
                self.assertEqual('data race' in run.stdout, not is_named)

    def test_the_programs_own_races_stay_findings_and_replay(self):
        library = self.program('racy_library', '-DLIBRARY', '-shared', '-fPIC', output='libracy.so.1')
        program = self.program('racy_library', library, '-Wl,-rpath,$ORIGIN')
        run = self.check(program, '--suppress', 'no such', '--suppress', 'lib*.so.1', args=['own'])
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertRegex(run.stdout, r'data race: nothing orders these two accesses to own')
        schedule = re.search(r"thrum replay '([^']*)'", run.stdout)[1]
        self.assertTrue(schedule.endswith('mno%20such,lib*.so.1'), schedule)
        again = command.thrum('replay', schedule, '--', program, 'own')
        self.assertIn('replayed: the same ', again.stdout)
        self.assertIn('two accesses to own', again.stdout)
        run = self.check(program, '--suppress', 'lib*', '--suppress', 'racy_library', args=['own'])
        self.assertEqual(run.returncode, 0, run.stdout)

    def test_who_computes_for_ever_hangs(self):
        run = self.check(self.program('computes_for_ever'), '--patience', '300ms')
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertIn('hang: it computes without coming to a point at which threads could switch', run.stdout)

    def test_who_gets_no_processor_does_not_hang(self):
        program = self.program('uncontrolled')
        run = subprocess.Popen([command.THRUM, 'check', '-j', '1', '--fork', '--patience', '200ms', '--time',
                                '10min', '--', program, 'nothing'], text=True, stdout=subprocess.PIPE,
                               env=command.environment())
        stopped = set()
        while len(stopped) < 2:  # what forks, and what it has forked
            stopped = descendants(run.pid)
        try:
            for pid in stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            time.sleep(1)  # five times as long as the patience
        finally:
            for pid in stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
            run.send_signal(signal.SIGINT)
        self.assertIn('  nothing found in ', run.communicate()[0])
        self.assertEqual(run.returncode, 130)

    def test_what_is_no_module_is_refused(self):
        many = [word for i in range(33) for word in ('--suppress', f'lib{i}')]
        for options in (['--suppress', ''], ['--suppress', '/usr/lib/libc.so.6'], ['--suppress', 'a\nb'],
                        ['--suppress', 'x' * 2000], many):
            run = self.check('/bin/true', *options)
            self.assertEqual((run.returncode, run.stdout, run.stderr.count('\n')), (2, '', 1), run.stderr)
        for flags in ('m', 'ma%', 'ma%2', 'ma%2f', 'ma b', 'ma,', 'm' + 'x' * 2000):
            run = command.thrum('replay', f'check1:-:0::::{flags}', '--', '/bin/true')
            self.assertEqual((run.returncode, run.stderr.count('\n')), (2, 1), flags)


if __name__ == '__main__':
    unittest.main()
