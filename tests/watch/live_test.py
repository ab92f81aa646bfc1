# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""thrum watch --live, through a terminal of our own."""

import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import stat
import struct
import subprocess
import tempfile
import termios
import time
import unittest

import command
import screen

TARGETS = pathlib.Path(os.environ.get('TARGETS', command.ROOT / 'build/default/tests/watch/targets'))

class Terminal:
    """Runs thrum watch --live in a terminal of a given size."""

    def __init__(self, test, *args, rows=40, columns=170, **files):
        self.main, other = pty.openpty()
        self._screen = screen.Screen(rows, columns)
        self.resize(rows, columns)
        self.process = command.start(
            [command.THRUM, 'watch', '--live', '--no-page', *map(os.fspath, args)], cwd=test.folder,
            env=command.environment(), preexec_fn=lambda: fcntl.ioctl(2, termios.TIOCSCTTY, 0),
            **{'stdin': other, 'stdout': other, 'stderr': other, **files})
        os.close(other)
        test.addCleanup(command.end, self.process)

    def resize(self, rows, columns):
        self._screen.resize(rows, columns)
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def read(self):
        """Returns False when there is nothing more to come."""
        select.select([self.main], [], [])
        try:
            data = os.read(self.main, 1 << 16)
        except OSError:
            return False
        self._screen.feed(data)
        return data != b''

    @property
    def text(self):
        """What is to be seen, and what has left the screen at its top."""
        return self._screen.text

    def until(self, *texts):
        """Reads until the screen shows all of them at once."""
        while not all(re.search(text, self.text) for text in texts):
            if not self.read():
                raise AssertionError(f'{texts} never came; there is:\n{self.text}')

    def end(self):
        while self.read():
            pass
        os.close(self.main)
        return self.process.wait()


class Live(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def live(self, name, *args, **options):
        return Terminal(self, '--', TARGETS / name, *args, **options)

    def test_it_shows_threads_locks_and_who_waits_for_whom_then_the_summary(self):
        terminal = self.live('contended', '2000')
        terminal.until(r'Threads: 3', r'Locks, by time waited for them', r'hot, contended \d+',
                       r'Who waits for whom', r'contended \d+ → hot → contended \d+')
        self.assertEqual(terminal.end(), 7)
        self.assertIn('Locks, by time lost waiting for them', terminal.text)
        self.assertIn('its output contended.out', terminal.text)

    def test_a_static_program_is_shown_as_it_is_seen_from_outside(self):
        terminal = self.live('static_contended', '1500')
        terminal.until(r'Threads: 3', r'Locks, by time waited for them', r'hot, static_contende \d+',
                       r'static_contende \d+ → hot → static_contende \d+', 'the end of a thread')
        self.assertEqual(terminal.end(), 7)

    def test_a_process_that_runs_already_is_shown_and_goes_on(self):
        process = command.start([TARGETS / 'blocked'], stdout=subprocess.PIPE, text=True)
        self.addCleanup(command.end, process)
        self.assertEqual(process.stdout.readline(), 'started\n')
        terminal = Terminal(self, '--pid', str(process.pid))
        terminal.until('the process goes on', 'Threads: 11', 'Locks, by time waited for them', r'lock, blocked \d+',
                       r'input \d+ +~+  read, (\(anonymous namespace\)::)?input \(blocked',
                       r'writer \d+ → .*table → blocked \d+ → the end of a thread → spinner \d+ \(running\)')
        os.write(terminal.main, b'q')
        terminal.until('It is still watched; Ctrl-C ends that')
        terminal.process.send_signal(signal.SIGINT)
        self.assertEqual(terminal.end(), 0)
        self.assertIn('left running', terminal.text)
        self.assertIsNone(process.poll())
        self.assertEqual([file.name for file in self.folder.iterdir()], ['blocked.thrum'])

    def test_a_deadlock_of_a_process_that_runs_already_is_told_on_the_screen(self):
        process = command.start([TARGETS / 'deadlock'])
        self.addCleanup(command.end, process)
        terminal = Terminal(self, '--pid', str(process.pid))
        terminal.until('Deadlock: 3 threads wait for each other', r'\(a cycle\)')
        process.kill()
        terminal.end()
        self.assertIn('ended', terminal.text)

    @unittest.skipIf(os.environ.get('SANITIZED') == '1', 'the library is instrumented: a program with it is refused')
    def test_queues_have_their_depth(self):
        terminal = self.live('objects', '2000')
        terminal.until('Queues: how many items they hold', r'  jobs +█+  8 of 8, most 8', r'  results +0, most 0')
        terminal.until(r'  jobs +█+▃+  3 of 8, most 8')
        self.assertEqual(terminal.end(), 0)

    def test_what_the_program_prints_goes_to_a_file(self):
        terminal = self.live('contended', '100')
        terminal.until('what it prints goes to contended.out')
        self.assertEqual(terminal.end(), 7)
        output = self.folder / 'contended.out'
        self.assertEqual(output.read_text(), 'done\n')
        self.assertEqual(stat.S_IMODE(output.stat().st_mode), 0o600)
        self.assertNotIn('done', terminal.text)

    def test_the_file_of_the_output_follows_no_link(self):
        victim = self.folder / 'victim'
        victim.write_text('precious')
        (self.folder / 'contended.out').symlink_to(victim)
        self.assertEqual(self.live('contended', '3').end(), 7)
        self.assertEqual(victim.read_text(), 'precious')

    def test_a_deadlock_is_told_on_the_screen(self):
        terminal = self.live('deadlock')
        terminal.until('Deadlock: 3 threads wait for each other', r'\(a cycle\)')
        terminal.process.send_signal(signal.SIGINT)
        self.assertEqual(terminal.end(), 128 + signal.SIGINT)

    def test_a_deadlock_after_the_view_was_left_is_told_as_without_it(self):
        terminal = self.live('later')
        terminal.until('Threads: 3')
        os.write(terminal.main, b'q')
        terminal.until('The program goes on', 'Deadlock: 2 threads wait for each other', 'It will not end')
        terminal.process.send_signal(signal.SIGINT)
        self.assertEqual(terminal.end(), 128 + signal.SIGINT)

    def test_q_leaves_the_view_and_not_the_program(self):
        terminal = self.live('contended', '1500')
        terminal.until('Threads: 3')
        os.write(terminal.main, b'q')
        self.assertEqual(terminal.end(), 7)
        self.assertEqual((self.folder / 'contended.out').read_text(), 'done\n')
        self.assertIn('The program goes on; Ctrl-C ends it.', terminal.text)
        self.assertIn('exit status 7', terminal.text)

    def test_the_program_reads_no_keys(self):
        terminal = Terminal(self, '--', 'sh', '-c', 'read line; echo "got $?"')
        self.assertEqual(terminal.end(), 0)
        self.assertEqual((self.folder / 'sh.out').read_text(), 'got 1\n')

    def test_it_fits_a_terminal_that_changes_its_size(self):
        terminal = self.live('contended', '3000', rows=24, columns=80)
        terminal.until('Threads: 3')
        for rows, columns in ((4, 120), (60, 200), (24, 80)):
            # On so small a screen there may be nothing that changes, and nothing to read.
            terminal.resize(2, 2)
            time.sleep(0.3)
            terminal.resize(rows, columns)
            terminal.until('Threads: 3' if rows > 4 else 'q leaves the view, not the program; what')
            self.assertLessEqual(max(map(len, terminal.text.split('\n')[-rows:])), columns)
            self.assertIsNone(terminal.process.poll())
        self.assertEqual(terminal.end(), 7)

    def test_without_a_terminal_it_says_so(self):
        run = command.thrum('watch', '--live', '--', TARGETS / 'nothing', cwd=self.folder)
        self.assertEqual((run.returncode, run.stderr),
                         (2, 'thrum: --live: standard error is no terminal\n'))
        self.assertEqual(list(self.folder.iterdir()), [])
        terminal = self.live('nothing', stdin=subprocess.DEVNULL)
        self.assertEqual(terminal.end(), 2)
        self.assertIn('thrum: --live: standard input is no terminal', terminal.text)

    def test_output_that_goes_elsewhere_already_still_goes_there(self):
        with open(self.folder / 'elsewhere', 'w') as file:
            terminal = self.live('contended', '100', stdout=file)
            self.assertEqual(terminal.end(), 7)
        self.assertEqual((self.folder / 'elsewhere').read_text(), 'done\n')
        self.assertEqual((self.folder / 'contended.out').read_text(), '')


if __name__ == '__main__':
    command.main()
