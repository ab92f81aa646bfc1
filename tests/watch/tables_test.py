# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""What is in the tables of thrum watch: places, and how often a lock was taken."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import command

TARGETS = pathlib.Path(os.environ.get('TARGETS', command.ROOT / 'build/default/tests/watch/targets'))
os.environ.pop('DEBUGINFOD_URLS', None)  # with a server, libdw itself looks


class Tables(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def report(self, *words):
        """Watches a program, and returns what is told of it."""
        command.thrum('watch', '-q', '-o', 'x.thrum', '--', *words, cwd=self.folder)
        run = command.thrum('report', self.folder / 'x.thrum', '--json')
        self.assertIn(run.returncode, (0, 1), run.stderr)
        return json.loads(run.stdout)

    def test_debug_information_beside_the_program_is_found_by_its_link_and_sum(self):
        program, debug = self.folder / 'contended', self.folder / '.debug/contended.debug'
        debug.parent.mkdir()
        shutil.copy(TARGETS / 'contended', program)
        for words in (['--only-keep-debug', program, debug], ['--strip-debug', program],
                      [f'--add-gnu-debuglink={debug}', program]):
            subprocess.run(['objcopy', *words], check=True)
        self.assertIn('contended.cpp:', self.report(program, '3')['locks'][0]['site'])
        with debug.open('ab') as file:  # not the file any more that the program was built with
            file.write(b'\0')
        self.assertNotIn('contended.cpp:', self.report(program, '3')['locks'][0]['site'])

    def counts(self, *words):
        """How often each lock was taken."""
        report = self.report(*words)
        self.assertEqual(report['end']['events_lost'], 0)
        return {lock['lock'].split('::')[-1]: lock['acquisitions'] for lock in report['locks']}

    def test_locks_that_share_a_row_of_the_recorders_table_are_counted(self):
        self.assertEqual([*self.counts(TARGETS / 'same_row', '20000').values()], 4 * [20_000])

    def test_hundreds_of_locks_in_turn_are_counted_by_sample(self):
        counts = self.counts(TARGETS / 'many_locks', '60')
        self.assertEqual(counts.pop('outside'), 24_000)
        # The first 256 that find no place in the table, then one in 64: so few that the ring holds
        # them all, and enough to know the sum to a twentieth.
        self.assertGreater(len(counts), 300)
        self.assertLess(abs(sum(counts.values()) - 24_000), 6_000)


if __name__ == '__main__':
    unittest.main()
