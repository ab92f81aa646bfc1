# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""What thrum watch calls things: places, functions, locks."""

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


class Names(unittest.TestCase):
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


if __name__ == '__main__':
    unittest.main()
