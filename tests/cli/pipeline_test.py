# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""The pipeline's totals against `wc` and `sha256sum`, and what it says when something is wrong."""

import os
import pathlib
import random
import re
import socket
import subprocess
import tempfile

import command

WC = 'find . -type f -print0 | wc --files0-from=- | tail -n 1'
SHA = 'find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum'


class Pipeline(command.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def write(self, name, content):
        path = os.path.join(os.fsencode(self.root), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as file:
            file.write(content)

    def tour(self, *args, path=None, **options):
        return command.thrum('tour', path or self.root, '--only', 'queue', '--json', *args,
                             **options)

    def assert_totals(self, *args):
        run = self.tour(*args)
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        facts = command.facts_of(run)
        lines, words, size = map(int, command.shell(WC, self.root).split()[:3])
        self.assertEqual((facts['lines'], facts['words'], facts['bytes']), (lines, words, size))
        self.assertEqual(facts['sha256'], command.shell(SHA, self.root).split()[0])
        self.assertEqual(facts['files'],
                         command.shell('find . -type f -printf x', self.root).count('x'))
        self.assertTrue(facts['complete'])
        return facts

    def test_nested_folders(self):
        self.write('a', b'one two\nthree\n')
        self.write('b/a', b'four\n')
        self.write('b.txt', b'sorts between b and b/a\n')
        self.write('b/c/d/e', b'')
        self.assertEqual(self.assert_totals()['folders'], 4)

    def test_no_newline_at_the_end(self):
        self.write('a', b'no newline')
        self.write('b', b'\n\nend')
        self.assert_totals()

    def test_names_of_all_kinds(self):
        for name in ('ü', '日本語/ファイル', 'with space', '-n', 'new\nline', 'back\\slash', 'ret\rurn',
                     "quo'te", b'not\xffutf8'):
            self.write(name, os.fsencode(name))
        self.assert_totals()

    def test_white_space_and_what_does_not_print(self):
        random.seed(1)
        self.write('spaces', b' a\tb\vc\fd\re\n f  g\xa0h \x85 i')
        self.write('unprintable', b'\x01 \x01\x02 a\x01b \x7f \x1b[1m \xff \xffa')
        for n in range(20):
            self.write(f'random-{n}', bytes(random.choices(range(256), k=20000)))
        self.assert_totals()

    def test_binary_files_are_counted_and_named_binary(self):
        self.write('text', b'text\n')
        self.write('early', b'a\0b c\n')
        self.write('in the last byte looked at', b'a' * 8191 + b'\0')
        self.write('too late', b'a' * 8192 + b'\0')
        self.assertEqual(self.assert_totals()['binary_files'], 2)
        text = command.thrum('tour', self.root, '--only', 'queue').stdout
        self.assertIn('2 files are binary', ' '.join(text.split()))

    def test_a_large_file(self):
        random.seed(2)
        block = random.randbytes(1 << 20)
        self.write('large', block.join([b' %d\n' % n for n in range(51)]))
        self.write('small', b'small\n')
        self.assert_totals()

    def test_many_small_files(self):
        for n in range(2000):
            self.write(f'{n % 7}/{n}', b'word ' * (n % 5) + b'\n')
        for workers in (1, 3, 64):
            with self.subTest(workers):
                facts = self.assert_totals('--workers', str(workers))
                self.assertEqual(len(facts['threads']), 2 * workers + 1)
                self.assertEqual(facts['queues'][0]['items'], 2000)

    def test_the_commands_that_it_prints_say_the_same(self):
        self.write('.git/config', b'left out\n')
        self.write('src/build/x', b'left out\n')
        self.write('src/x', b'counted\n')
        run = command.thrum('tour', '--only', 'queue', '--json', cwd=self.root)
        facts = command.facts_of(run)
        self.assertEqual((facts['files'], facts['excluded']), (1, 2))
        steps = command.json.loads(run.stdout)['sections']['queue']['steps']
        printed = [line[2:] for step in steps for line in step['code'] if line.startswith('$ ')]
        self.assertEqual(len(printed), 2)
        self.assertEqual(command.shell(printed[0], self.root).split()[:3], ['1', '1', '8'])
        self.assertEqual(command.shell(printed[1], self.root).split()[0], facts['sha256'])

    def test_a_path_is_read_in_full(self):
        self.write('.git/config', b'counted\n')
        self.write('build/x', b'counted\n')
        self.assertEqual(self.assert_totals()['files'], 2)

    def test_one_file(self):
        self.write('file', b'a b\nc\n')
        path = self.root / 'file'
        facts = command.facts_of(self.tour(path=path))
        self.assertEqual((facts['files'], facts['lines'], facts['words'], facts['bytes']),
                         (1, 2, 3, 6))
        self.assertEqual(facts['sha256'], command.shell('sha256sum file', self.root).split()[0])

    def test_links_are_not_followed_but_the_path_itself_is(self):
        self.write('tree/file', b'x\n')
        (self.root / 'tree/link').symlink_to('file')
        (self.root / 'tree/loop').symlink_to('.')
        (self.root / 'entry').symlink_to('tree')
        facts = command.facts_of(self.tour(path=self.root / 'entry'))
        self.assertEqual((facts['files'], facts['symlinks']), (1, 2))

    def test_what_is_no_file_is_not_opened(self):
        self.write('file', b'x\n')
        os.mkfifo(self.root / 'fifo')
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.root / 'socket'))
            self.assertEqual(self.assert_totals()['special_files'], 2)

    def test_an_empty_tree(self):
        self.write('a/b/c/x', b'')
        (self.root / 'a/b/c/x').unlink()
        run = self.tour()
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        facts = command.facts_of(run)
        self.assertEqual((facts['files'], facts['sha256'], facts['folders']), (0, None, 4))
        text = command.thrum('tour', self.root, '--only', 'queue').stdout
        self.assertIn(f'there is no file below {self.root}: nothing to count',
                      ' '.join(text.split()))

    def test_what_cannot_be_read_is_named_once_each_and_the_rest_is_counted(self):
        self.write('good', b'x\n')
        self.write('closed\nfile', b'secret\n')
        self.write('closed_folder/x', b'secret\n')
        os.chmod(self.root / 'closed\nfile', 0)
        os.chmod(self.root / 'closed_folder', 0)
        self.addCleanup(os.chmod, self.root / 'closed_folder', 0o700)
        # Root reads everything, unless it is without these rights.
        prefix = () if os.geteuid() != 0 else (
            'setpriv', '--bounding-set', '-dac_override,-dac_read_search', '--')
        if subprocess.run([*prefix, 'cat', self.root / 'closed\nfile'], check=False,
                          capture_output=True).returncode == 0:
            self.skipTest('everything can be read here')
        run = self.tour(prefix=prefix)
        self.assertEqual(run.returncode, 1)
        self.assertEqual(sorted(run.stderr.splitlines()), [
            f'thrum: {self.root}/closed\\nfile: Permission denied',
            f'thrum: {self.root}/closed_folder: Permission denied'])
        facts = command.facts_of(run)
        self.assertEqual((facts['files'], facts['bytes'], facts['problem_count']), (1, 2, 2))
        self.assertIn({'path': f'{self.root}/closed\\nfile', 'why': 'Permission denied'},
                      facts['problems'])

    def test_files_that_vanish_or_change_meanwhile_are_named(self):
        # Whether this run meets one is chance; what it says then, is not.
        for n in range(3000):
            self.write(f'{n}', b'x' * n)
        with subprocess.Popen(['sh', '-c', 'rm -f *[0-4]; for f in *5; do echo >>$f; done'],
                              cwd=self.root):
            run = self.tour()
        facts = command.facts_of(run)
        self.assertEqual(run.returncode, 1 if facts['problems'] else 0)
        self.assertEqual(len(run.stderr.splitlines()), facts['problem_count'])
        for line in run.stderr.splitlines():
            self.assertRegex(line, rf'^thrum: {re.escape(str(self.root))}/\d+: '
                                   '(it vanished|it changed while it was read)$')


if __name__ == '__main__':
    command.main()
