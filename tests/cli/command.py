# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Runs the thrum command; what the tests here share.

THRUM names the program to test; without it the one of the preset `default` is taken.
"""

import ctypes
import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
THRUM = os.environ.get('THRUM', str(ROOT / 'build/default/bin/thrum'))


def environment(**changes):
    env = {key: value for key, value in os.environ.items() if key not in ('NO_COLOR', 'COLUMNS')}
    env.update({'LC_ALL': 'C.UTF-8', 'TERM': 'xterm', **changes})
    return env


def thrum(*args, cwd=None, prefix=(), **changes):
    return subprocess.run([*prefix, THRUM, *map(os.fspath, args)], cwd=cwd, text=True,
                          errors='surrogateescape', capture_output=True, stdin=subprocess.DEVNULL,
                          env=environment(**changes), check=False)


def ends_with_us(by=signal.SIGKILL):
    """For Popen's preexec_fn: a test that is killed, as for its time, leaves nothing running. What
    watches a program is to end it as well: by SIGTERM."""
    prctl, set_parent_death_signal = ctypes.CDLL(None).prctl, 1
    return lambda: prctl(set_parent_death_signal, int(by), 0, 0, 0)


def facts_of(run, section='queue'):
    return json.loads(run.stdout)['sections'][section]['facts']


def shell(command, cwd):
    """What a command of the system says."""
    run = subprocess.run(['sh', '-c', command], cwd=cwd, capture_output=True, check=True,
                         env={**os.environ, 'LC_ALL': 'C'})
    return run.stdout.decode()


class TestCase(unittest.TestCase):
    maxDiff = None
    update = False

    def assert_golden(self, name, text):
        path = HERE / 'golden' / name
        if TestCase.update:
            path.write_text(text)
        self.assertEqual(path.read_text(), text, f'see {path}, or run this test with --update')


def main():
    TestCase.update = '--update' in sys.argv
    unittest.main(argv=[arg for arg in sys.argv if arg != '--update'])
