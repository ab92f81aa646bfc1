# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Runs the thrum command; what the tests here share.

THRUM names the program to test; without it the one of the preset `default` is taken.
"""

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


class Guard:
    """Ends what a test has started when the test is gone, however it ended: killed for its time,
    by a signal, with or without its watcher between them. Each is a process group."""
    _to = None

    @classmethod
    def tell(cls, word, group):
        if cls._to is None:
            cls._begin()
        os.write(cls._to, f'{word} {group}\n'.encode())

    @classmethod
    def _begin(cls):
        end, cls._to = os.pipe()
        if os.fork() != 0:
            os.close(end)
            return
        # A process of its own, which hears the pipe close when the test and its children are gone.
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(0, 1)
        os.dup2(0, 2)
        os.closerange(3, end)  # which others wait to see closed
        os.closerange(end + 1, max(map(int, os.listdir('/proc/self/fd'))) + 1)
        groups = set()
        with os.fdopen(end) as lines:
            for line in lines:
                word, group = line.split()
                (groups.add if word == 'begun' else groups.discard)(int(group))
        for group in groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                pass
        os._exit(0)


def start(words, **how):
    """A Popen that ends, with all that it starts, when this test does."""
    process = subprocess.Popen(words, start_new_session=True, **how)
    Guard.tell('begun', process.pid)
    return process


def end(process):
    """Whatever became of it, it and what it has started end now."""
    if process.returncode is None:  # else its number may be another's by now
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.communicate()
    Guard.tell('ended', process.pid)


def thrum(*args, cwd=None, prefix=(), **changes):
    words = [*prefix, THRUM, *map(os.fspath, args)]
    process = start(words, cwd=cwd, text=True, errors='surrogateescape', stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment(**changes))
    try:
        out, error = process.communicate()
        return subprocess.CompletedProcess(words, process.returncode, out, error)
    finally:
        end(process)


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
