#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Checks that the benchmarks run and what they write; never how fast anything is.

  bench_test.py reports|refuses PROGRAM [THRUM]
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest


def bench(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False)


class Reports(unittest.TestCase):
    def test_every_case_is_in_the_document(self):
        with tempfile.TemporaryDirectory() as folder:
            run = bench('--short', '--seconds', '0.001', '--rounds', '2', '--json', folder)
            self.assertEqual((run.returncode, run.stderr), (0, ''))
            (machine,) = pathlib.Path(folder).iterdir()
            documents = {file.stem: json.loads(file.read_text(encoding='utf-8'))
                         for file in machine.iterdir()}

        self.assertNotIn('\x1b', run.stdout)
        names = []
        for primitive, document in documents.items():
            self.assertEqual(document['schema'], 'thrum-bench/2')
            for key in ('line', 'cpu', 'cores', 'kernel', 'compiler', 'libraries', 'build', 'flags',
                        'waist', 'commit'):
                self.assertTrue(document['machine'][key], key)
            for case in document['cases']:
                names.append(case['name'])
                self.assertEqual(case['name'].split('/')[0], primitive)
                with self.subTest(case['name']):
                    self.check_case(case)
        self.assertEqual(sorted(names), sorted(bench('--short', '--list').stdout.splitlines()))

    def check_case(self, case):
        names = [contender['name'] for contender in case['contenders']]
        self.assertEqual(len(names), len(set(names)))
        self.assertTrue(case['name'].startswith('switch/') or
                        any(name.startswith('thrum') for name in names))
        for contender in case['contenders']:
            for figure in ('wall_ns', 'cpu_ns', 'voluntary_switches'):
                spread = contender[figure]
                self.assertEqual(len(spread['rounds']), 2)
                self.assertLessEqual(0, spread['p10'])
                self.assertLessEqual(spread['p10'], spread['median'])
                self.assertLessEqual(spread['median'], spread['p90'])
            self.assertGreater(contender['wall_ns']['p10'], 0)
            for ratio in contender['ratio_to'].values():
                self.assertGreater(ratio['p10'], 0)

    def test_a_pattern_selects(self):
        self.assertEqual(bench('--list', 'rlock/').stdout.splitlines(),
                         ['rlock/uncontended', 'rlock/depth=2'])

    def test_one_round_of_one_contender_for_compare(self):
        run = bench('rlock/uncontended', '--one', 'thrum::RLock', '--operations', '10')
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        self.assertRegex(run.stdout, r'\A10( [0-9.e+-]+){3}\n\Z')
        for arguments in (['rlock/', '--one', 'thrum::RLock'], ['rlock/uncontended', '--one', 'no']):
            run = bench(*arguments)
            self.assertEqual((run.returncode, run.stdout), (2, ''))
            self.assertRegex(run.stderr, r'\Athrum_bench: .*no such.*\n\Z')

    def test_what_cannot_be_run_is_one_line(self):
        run = bench('nothing-like-this')
        self.assertEqual((run.returncode, run.stdout), (2, ''))
        self.assertRegex(run.stderr, r'\Athrum_bench: nothing-like-this: no such case.*\n\Z')
        self.assertEqual(bench('--rounds', '0').returncode, 2)


class Command(unittest.TestCase):
    """thrum bench, the front of it."""

    def setUp(self):
        if not THRUM:
            self.skipTest('the command thrum is not built')

    def run_thrum(self, program, *arguments):
        return subprocess.run([program, 'bench', *arguments], capture_output=True, text=True,
                              check=False)

    def test_it_is_the_program(self):
        for arguments in (['--list', 'rlock/'], ['--help'], ['nothing-like-this'], ['--bogus']):
            with self.subTest(arguments):
                by_command, directly = self.run_thrum(THRUM, *arguments), bench(*arguments)
                self.assertEqual((by_command.returncode, by_command.stdout, by_command.stderr),
                                 (directly.returncode, directly.stdout, directly.stderr))

    def test_it_says_when_the_program_is_not_there(self):
        with tempfile.TemporaryDirectory() as folder:
            run = self.run_thrum(shutil.copy(THRUM, folder))
        self.assertEqual((run.returncode, run.stdout), (3, ''))
        self.assertRegex(run.stderr, r'\Athrum: bench: .*thrum_bench is not beside.*\n\Z')


class Refuses(unittest.TestCase):
    def test_a_build_whose_figures_mean_nothing_reports_none(self):
        run = bench()
        self.assertEqual((run.returncode, run.stdout), (2, ''))
        self.assertRegex(run.stderr, r'\Athrum_bench: nothing to report: this build is .*\n\Z')


if __name__ == '__main__':
    _, KIND, PROGRAM, *rest = sys.argv
    THRUM = rest[0] if rest else None
    unittest.main(argv=[sys.argv[0], KIND.capitalize(), 'Command'])
