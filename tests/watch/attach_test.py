# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""thrum watch --pid, and programs that can only be watched from outside."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import command

TARGETS = pathlib.Path(os.environ.get('TARGETS', command.ROOT / 'build/default/tests/watch/targets'))
SANITIZED = os.environ.get('SANITIZED') == '1'
PTRACE_SEIZE = 0x4206


def state_of(pid, tid):
    return pathlib.Path(f'/proc/{pid}/task/{tid}/stat').read_text().rpartition(') ')[2][0]


def call_of(pid, tid):
    return pathlib.Path(f'/proc/{pid}/task/{tid}/syscall').read_text().split()[0]


def functions_of(thread):
    return [frame['function'].replace('(anonymous namespace)::', '').split('(')[0]
            for frame in thread['stack']]


# Traces the threads that it is told of, until it is told to end.
TRACER = f'''
import ctypes, sys
ptrace = ctypes.CDLL(None, use_errno=True).ptrace
ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
print(sum(ptrace({PTRACE_SEIZE}, int(tid), None, None) for tid in sys.argv[1:]), flush=True)
sys.stdin.read()
'''

# Runs a command that is killed by SIGSYS at the first ptrace(): a filter of four instructions.
WITHOUT_PTRACE = '''
import ctypes, os, struct, sys
PR_SET_SECCOMP, SECCOMP_MODE_FILTER, PR_SET_NO_NEW_PRIVS = 22, 2, 38
load_number, ptrace, kill, allow = 0, 101, 0x80000000, 0x7fff0000
code = b''.join(struct.pack('HBBI', *one) for one in (
    (0x20, 0, 0, load_number), (0x15, 0, 1, ptrace), (0x06, 0, 0, kill), (0x06, 0, 0, allow)))
buffer = ctypes.create_string_buffer(code, len(code))
program = ctypes.create_string_buffer(struct.pack('HxxxxxxP', 4, ctypes.addressof(buffer)))
prctl = ctypes.CDLL(None).prctl
assert prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
assert prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program) == 0
os.execv(sys.argv[1], sys.argv[1:])
'''


class Attach(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, *words):
        process = command.start(words, cwd=self.folder, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, stdin=subprocess.PIPE, text=True)
        self.addCleanup(command.end, process)
        return process

    def start_blocked(self, name, threads):
        """Starts a target; returns when all threads but one that spins are blocked in a futex or
        another call that is theirs."""
        process = self.start(TARGETS / name)

        def is_blocked(tid):
            return state_of(process.pid, tid) == 'S' and call_of(process.pid, tid) != '-1'
        while True:
            tids = os.listdir(f'/proc/{process.pid}/task')
            moving = [tid for tid in tids if not is_blocked(tid)]
            if len(tids) == threads and len(moving) <= (name == 'blocked'):
                return process
            time.sleep(0.01)

    def dump(self, pid, *options):
        run = command.thrum('watch', '--pid', str(pid), '--once', '--json', *options)
        self.assertIn(run.returncode, (0, 1), run.stderr)
        return run, json.loads(run.stdout)

    def assert_refused(self, pid, why, *options):
        run = command.thrum('watch', '--pid', str(pid), *options, cwd=self.folder)
        self.assertEqual((run.returncode, run.stdout, run.stderr),
                         (2, '', f'thrum: process {pid}: {why}\n'))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_dump_names_what_each_thread_waits_for_who_holds_it_and_where(self):
        process = self.start_blocked('blocked', 11)
        _, dump = self.dump(process.pid)
        threads = {thread['name']: thread for thread in dump['threads']}
        main = dump['threads'][0]
        self.assertEqual(main['tid'], process.pid)
        self.assertEqual((main['kind'], main['held_by']), ('thread', threads['spinner']['tid']))
        for name, waits_for, held in (('mutex', 'mutex lock', True),
                                      ('inherit', 'mutex inheriting', True),
                                      ('reader', 'read lock table', True),
                                      ('writer', 'write lock table', True),
                                      ('semaphore', 'semaphore permits', False),
                                      ('condition', 'condition changed', False),
                                      ('barrier', 'barrier gate', False),
                                      ('sleeper', 'sleep', False)):
            with self.subTest(name=name):
                thread = threads[name]
                self.assertEqual(thread['state'], 'blocked')
                self.assertEqual(thread['waits_for'].replace('(anonymous namespace)::', ''), waits_for)
                self.assertEqual(thread.get('held_by'), process.pid if held else None)
                self.assertIn(name, functions_of(thread))
        self.assertRegex(threads['input']['waits_for'], r'^read\(\d+: pipe:\[\d+\]\)$')
        self.assertEqual(dump['deadlocks'], [])
        # A thread that runs: by the kernel's samples, or it is said why not.
        spinner = threads['spinner']
        if not dump['advice']:
            self.assertTrue('spinner' in functions_of(spinner) or
                            'not caught' in spinner.get('stack_note', ''), spinner)

    def test_a_stop_gives_the_stack_of_every_thread_and_lets_all_go_on(self):
        process = self.start_blocked('blocked', 11)
        run, dump = self.dump(process.pid, '--stop')
        if dump['advice']:
            self.assertRegex(dump['advice'], '^ptrace: ')
            self.skipTest(dump['advice'])
        self.assertIn('stopped for a moment', dump['level'])
        for thread in dump['threads']:
            self.assertGreater(len(thread['stack']), 2, thread)
        for tid in os.listdir(f'/proc/{process.pid}/task'):
            self.assertIn(state_of(process.pid, tid), 'SR')

    def test_nothing_is_traced_without_stop(self):
        process = self.start_blocked('deadlock', 4)
        # There is one tracer to a thread: with another there, ptrace would be refused.
        tracer = self.start(sys.executable, '-c', TRACER, *os.listdir(f'/proc/{process.pid}/task'))
        self.assertEqual(tracer.stdout.readline(), '0\n')
        run, dump = self.dump(process.pid)
        self.assertEqual(run.returncode, 1)
        self.assertEqual(len(dump['deadlocks'][0]['threads']), 3)
        _, dump = self.dump(process.pid, '--stop')
        self.assertIn('ptrace: ', dump['advice'])

    def test_ptrace_is_never_called_without_stop(self):
        process = self.start_blocked('deadlock', 4)

        def run(*words):
            return command.thrum('watch', *words, prefix=[sys.executable, '-c', WITHOUT_PTRACE],
                                 cwd=self.folder, ASAN_OPTIONS='detect_leaks=0').returncode
        pid = str(process.pid)
        self.assertEqual(run('--pid', pid, '--once'), 1)
        self.assertEqual(run('-q', '--', TARGETS / 'contended', '3'), 7)
        self.assertEqual(run('-q', '--', TARGETS / 'static_contended', '3'), 7)
        self.assertEqual(run('--pid', pid, '--once', '--stop'), -signal.SIGSYS)

    def test_a_deadlock_is_found_in_a_process_that_runs_already(self):
        process = self.start_blocked('deadlock', 4)
        run = command.thrum('watch', '--pid', str(process.pid), '--once')
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn('Deadlock: 3 threads wait for each other', run.stdout)
        for lock in ('left', 'middle', 'right'):
            self.assertRegex(run.stdout, rf'deadlock \d+ wants mutex {lock}, held by deadlock \d+')
            self.assertRegex(run.stdout, rf'blocked on mutex {lock}, held by deadlock \d+')
        self.assertIn('level: looked at from outside, nobody stopped; cannot tell', run.stdout)

    @unittest.skipIf(SANITIZED, 'the library is instrumented')
    def test_a_deadlock_of_our_own_locks(self):
        process = self.start_blocked('thrum_lock', 3)
        run = command.thrum('watch', '--pid', str(process.pid), '--once')
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertRegex(run.stdout, r'one \d+ wants futex second, held by two \d+')

    def test_a_process_is_watched_until_it_ends(self):
        process = self.start(TARGETS / 'contended', '400')
        run = command.thrum('watch', '--pid', str(process.pid), cwd=self.folder)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn('looked at from outside', run.stderr)
        report = json.loads(command.thrum('report', self.folder / 'contended.thrum', '--json').stdout)
        self.assertEqual(report['ending'], 'ended')
        self.assertEqual(process.wait(), 7)
        self.assertEqual(report['locks'][0]['lock'], 'hot')
        self.assertTrue(report['locks'][0]['site'].startswith('work (contended.cpp:'))
        for thread in report['threads']:
            self.assertEqual(sum(thread['states'].values()), thread['end_ns'] - thread['begin_ns'])

    def test_ctrl_c_ends_the_watching_not_the_process(self):
        process = self.start_blocked('deadlock', 4)
        watcher = command.start([command.THRUM, 'watch', '--pid', str(process.pid), '-q'],
                                cwd=self.folder, stderr=subprocess.PIPE, text=True)
        self.addCleanup(command.end, watcher)
        while 'Deadlock: 3 threads' not in watcher.stderr.readline():
            self.assertIsNone(watcher.poll())
        watcher.send_signal(signal.SIGINT)
        watcher.communicate()
        self.assertEqual(watcher.returncode, 1)
        self.assertIsNone(process.poll())
        report = json.loads(command.thrum('report', self.folder / 'deadlock.thrum', '--json').stdout)
        self.assertEqual((report['ending'], len(report['deadlocks'])), ('left running', 1))

    def test_a_static_program_is_watched_from_outside(self):
        run = command.thrum('watch', '--', TARGETS / 'static', cwd=self.folder)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn('looked at from outside', run.stderr)
        self.assertIn('it is statically linked', ' '.join(run.stderr.split()))
        self.assertEqual(len(list(self.folder.iterdir())), 2)

    def test_processes_that_cannot_be_watched(self):
        for options in ((), ('--once',)):
            with self.subTest(options=options):
                self.assert_refused(2**22 + 1, 'no such process', *options)
                zombie = self.start('true')
                while state_of(zombie.pid, zombie.pid) != 'Z':
                    time.sleep(0.01)
                self.assert_refused(zombie.pid,
                                    'a zombie: it has ended, and its parent did not ask how', *options)
                process = self.start_blocked('deadlock', 4)
                tid = max(int(tid) for tid in os.listdir(f'/proc/{process.pid}/task'))
                self.assert_refused(
                    tid, f'a thread of process {process.pid}: thrum watch --pid {process.pid}', *options)

    @unittest.skipUnless(os.geteuid() == 0, 'only root can be somebody else')
    def test_a_process_of_somebody_else(self):
        process = self.start('sleep', '1000')
        other = self.start('setpriv', '--reuid=1', '--regid=1', '--clear-groups', 'sleep', '1000')
        while 'sleep' not in pathlib.Path(f'/proc/{other.pid}/comm').read_text():
            time.sleep(0.01)
        for pid, why in ((process.pid, 'its memory is root\'s alone'),
                         (other.pid, 'it belongs to daemon')):
            run = subprocess.run(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups',
                                  command.THRUM, 'watch', '--pid', str(pid), '--once'],
                                 capture_output=True, text=True)
            self.assertEqual((run.returncode, run.stderr),
                             (2, f'thrum: process {pid}: {why}: sudo thrum watch --pid {pid}\n'))
        _, dump = self.dump(other.pid)  # root may
        self.assertEqual(dump['threads'][0]['waits_for'], 'sleep')

    def test_words_that_do_not_go_together(self):
        for words in (['--pid', '1', '--', 'true'], ['--once', '--', 'true'], [],
                      ['--pid', '1', '--stop'], ['--pid', '1', '--json'], ['--pid', 'x']):
            with self.subTest(words=words):
                run = command.thrum('watch', *words, cwd=self.folder)
                self.assertEqual((run.returncode, run.stdout), (2, ''))
                self.assertRegex(run.stderr, r'^thrum: [^\n]+\n$')

    def test_threads_that_come_and_go_and_a_process_that_ends(self):
        # Dumps of a process that starts a thousand threads and ends: each a dump, or one line.
        ends = 0
        for _ in range(8):
            process = self.start(TARGETS / 'threads', '3000')
            while not ends:
                run = command.thrum('watch', '--pid', str(process.pid), '--once')
                if run.returncode == 2:
                    self.assertRegex(run.stderr, r'^thrum: process \d+: [^\n]+\n$')
                    ends += 1
                else:
                    self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            if ends:
                break
        self.assertGreater(ends, 0)


if __name__ == '__main__':
    command.main()
