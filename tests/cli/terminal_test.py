# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""On a terminal: colour, width and the progress bar."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import tempfile
import termios

import command


def start(*args, columns=80, **changes):
    """Starts the command on a terminal of its own. Returns the process and the terminal."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    process = subprocess.Popen([command.THRUM, *args], stdout=its, stderr=its, stdin=its,
                               start_new_session=True, env=command.environment(**changes))
    os.close(its)
    return process, ours


def read(terminal, until=None):
    """What the terminal shows, up to its end or to a text."""
    shown = b''
    while until is None or until.encode() not in shown:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
    return shown.decode(errors='replace')


class Terminal(command.TestCase):
    def show(self, *args, **options):
        process, terminal = start(*args, **options)
        shown = read(terminal)
        os.close(terminal)
        self.assertEqual(process.wait(), 0)
        return shown

    def test_colour(self):
        self.assertIn('\x1b[32m✓\x1b[0m', self.show('tour', '--only', 'event'))

    def test_no_colour_if_asked_to(self):
        self.assertNotIn('\x1b[', self.show('tour', '--only', 'event', '--no-color'))
        self.assertNotIn('\x1b[', self.show('tour', '--only', 'event', NO_COLOR='1'))
        self.assertNotIn('\x1b[', self.show('tour', '--only', 'event', TERM='dumb'))

    def test_no_line_is_wider_than_the_terminal(self):
        for columns in (80, 120):
            shown = self.show('tour', '--no-color', '--only', 'lifecycle,structure,condition',
                              columns=columns)
            for line in shown.splitlines():
                self.assertLessEqual(len(line), columns, line)

    def test_progress_is_shown_and_taken_away(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(f'{folder}/huge', 'wb') as file:
                file.truncate(1 << 40)
            process, terminal = start('tour', folder, '--only', 'queue')
            shown = read(terminal, until='s left')
            process.send_signal(signal.SIGINT)
            shown += read(terminal)
            os.close(terminal)
            self.assertEqual(process.wait(), 130)
        self.assertRegex(shown, r'0/1 files .*/s .*s left')
        self.assertIn(' 0 %', shown)
        # Each time the line is drawn anew, and in the end it is empty.
        bars = [part for part in shown.split('\r') if 's left' in part]
        for bar in bars:
            self.assertTrue(bar.endswith('\x1b[K'), bar)
        self.assertIn('\r\x1b[K', shown[shown.rindex('s left'):])

    def test_no_progress_where_nobody_looks(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(f'{folder}/large', 'wb') as file:
                file.truncate(300 << 20)
            run = command.thrum('tour', folder, '--only', 'queue')
        self.assertEqual(run.returncode, 0)
        self.assertNotIn('left', run.stdout)
        self.assertNotIn('\r', run.stdout)


if __name__ == '__main__':
    command.main()
