# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""What a test has started ends with it."""

import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

import command

# A test that starts a program which starts another one, both deaf to what asks them to end; and
# then waits for what never comes.
TEST = '''
import subprocess, sys
import command
process = command.start(['sh', '-c', 'trap "" TERM INT; sleep 1000 & echo $! $$; wait'],
                        stdout=subprocess.PIPE, text=True)
print(process.stdout.readline(), flush=True)
process.wait()
'''


def is_gone(pid):
    try:
        return ') Z ' in pathlib.Path(f'/proc/{pid}/stat').read_text()
    except FileNotFoundError:
        return True


class Guard(command.TestCase):
    def begin(self):
        test = subprocess.Popen([sys.executable, '-B', '-c', TEST], stdout=subprocess.PIPE, text=True,
                                env={**os.environ, 'PYTHONPATH': str(command.HERE)})
        self.addCleanup(test.communicate)
        self.addCleanup(test.kill)
        return test, test.stdout.readline().split()

    def test_a_test_that_is_killed_leaves_nothing_running(self):
        test, pids = self.begin()
        self.assertEqual(len(pids), 2)
        self.assertFalse(any(map(is_gone, pids)))
        test.send_signal(signal.SIGKILL)
        while not all(map(is_gone, pids)):
            time.sleep(0.01)

    def test_what_is_ended_ends_with_what_it_has_started(self):
        process = command.start(['sh', '-c', 'trap "" TERM; sleep 1000 & echo $!; wait'],
                                stdout=subprocess.PIPE, text=True)
        child = process.stdout.readline().strip()
        command.end(process)
        self.assertEqual(process.returncode, -signal.SIGKILL)
        while not is_gone(child):
            time.sleep(0.01)


if __name__ == '__main__':
    unittest.main()
