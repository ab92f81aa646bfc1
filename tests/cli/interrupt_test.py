# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Ctrl-C while the pipeline works on a file that would take minutes."""

import json
import pathlib
import signal
import subprocess
import tempfile

import command


def start(folder, *args):
    """Starts a tour, and returns once its counters have begun."""
    process = subprocess.Popen([command.THRUM, 'tour', folder, '--only', 'queue', *args],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=command.environment())
    tasks = pathlib.Path(f'/proc/{process.pid}/task')
    while process.poll() is None:
        names = [pathlib.Path(task / 'comm') for task in tasks.iterdir()]
        if any(read(name).startswith('count') for name in names):
            break
    return process


def read(path):
    try:
        return path.read_text()
    except OSError:
        return ''


class Interrupt(command.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        for n in range(3):
            with open(f'{folder.name}/huge-{n}', 'wb') as file:
                file.truncate(1 << 40)  # takes no room

    def end(self, process):
        out, err = process.communicate()
        return process.returncode, out, err

    def test_says_what_was_done_so_far(self):
        process = start(self.folder)
        process.send_signal(signal.SIGINT)
        code, out, err = self.end(process)
        self.assertEqual(code, 130)
        self.assertEqual(err, 'thrum: tour: stopped by SIGINT during queue\n')
        self.assertIn('stopped after', out)
        self.assertNotIn('sha256sum', out)

    def test_in_json_as_well(self):
        process = start(self.folder, '--json')
        process.send_signal(signal.SIGINT)
        code, out, _ = self.end(process)
        document = json.loads(out)
        self.assertEqual((code, document['interrupted'], document['ok']), (130, 'SIGINT', False))
        facts = document['sections']['queue']['facts']
        self.assertEqual((facts['complete'], facts['sha256']), (False, None))

    def test_terminate(self):
        process = start(self.folder)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.end(process)[0], 128 + signal.SIGTERM)

    def test_twice(self):
        process = start(self.folder)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.end(process)[0], 130)

    def test_with_many_workers(self):
        process = start(self.folder, '--workers', '100')
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.end(process)[0], 130)

    def test_in_any_section(self):
        process = subprocess.Popen([command.THRUM, 'tour', self.folder], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=command.environment())
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        code, _, err = self.end(process)
        self.assertEqual(code, 130)
        self.assertRegex(err, '^thrum: tour: stopped by SIGINT.*\n$')

    def test_a_reader_that_goes_away_ends_it_quietly(self):
        process = start(self.folder)
        process.stdout.close()
        process.send_signal(signal.SIGINT)
        process.wait()
        err = process.stderr.read()
        process.stderr.close()
        self.assertIn(process.returncode, (-signal.SIGPIPE, 130, 3))
        self.assertNotIn('Broken pipe', err)


if __name__ == '__main__':
    command.main()
