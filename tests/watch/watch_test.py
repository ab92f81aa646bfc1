# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""thrum watch and thrum report, over programs of which it is known what they do."""

import base64
import ctypes
import gzip
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
import unittest

import command
import page
import perfetto

TARGETS = pathlib.Path(os.environ.get('TARGETS', command.ROOT / 'build/default/tests/watch/targets'))
NOBODY = 65534
SANITIZED = os.environ.get('SANITIZED') == '1'


class Watch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def watch(self, *args, target=None):
        words = [TARGETS / args[0], *args[1:]] if target is None else target
        return command.thrum('watch', *self.options, '--', *words, cwd=self.folder)

    options = ()

    def report(self, name, *options):
        run = command.thrum('report', self.folder / f'{name}.thrum', '--json', *options)
        self.assertIn(run.returncode, (0, 1), run.stderr)
        return json.loads(run.stdout)

    def assert_one_line(self, run, code, text):
        self.assertEqual((run.returncode, run.stderr), (code, text))

    def assert_times_add_up(self, report):
        for thread in report['threads']:
            with self.subTest(thread=thread['name']):
                self.assertEqual(sum(thread['states'].values()),
                                 thread['end_ns'] - thread['begin_ns'])

    def test_a_deadlock_is_told_while_it_happens_with_who_holds_what_and_where(self):
        self.options = ['--kill-on-deadlock', '-q']
        run = self.watch('deadlock')
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn('Deadlock: 3 threads wait for each other', run.stderr)
        for lock in ('left', 'middle', 'right'):
            self.assertRegex(run.stderr, rf'deadlock \d+ wants mutex {lock}, held by deadlock \d+')
        lines = (pathlib.Path(__file__).parent / 'targets/deadlock.cpp').read_text().splitlines()
        took = next(i for i, line in enumerate(lines, 1) if 'outer(first)' in line)
        wants = next(i for i, line in enumerate(lines, 1) if 'inner(second)' in line)
        self.assertEqual(run.stderr.count(f'take (deadlock.cpp:{wants})'), 3, run.stderr)
        self.assertEqual(run.stderr.count(f'take (deadlock.cpp:{took})'), 3, run.stderr)
        report = self.report('deadlock')
        self.assertEqual(len(report['deadlocks']), 1)
        self.assert_times_add_up(report)

    def test_a_deadlock_does_not_end_the_program(self):
        watcher = command.start([command.THRUM, 'watch', '-q', '--', TARGETS / 'deadlock'],
                                cwd=self.folder, stderr=subprocess.PIPE, text=True)
        self.addCleanup(command.end, watcher)
        line = ''
        while 'Ctrl-C' not in line:
            line = watcher.stderr.readline()
            self.assertNotEqual(line, '')
        self.assertIsNone(watcher.poll())
        watcher.send_signal(signal.SIGINT)
        watcher.communicate()
        self.assertEqual(watcher.returncode, 128 + signal.SIGINT)
        self.assertEqual(self.report('deadlock')['ending'], 'killed by SIGINT')

    @unittest.skipIf(SANITIZED, 'the library is instrumented: a program with it is refused')
    def test_a_deadlock_of_our_own_locks(self):
        self.options = ['--kill-on-deadlock', '-q']
        run = self.watch('thrum_lock')
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertRegex(run.stderr, r'one \d+ wants lock second, held by two \d+')
        self.assertRegex(run.stderr, r'two \d+ wants lock first, held by one \d+')

    def test_two_orders_of_two_locks_are_found_without_a_deadlock(self):
        run = self.watch('inversion')
        self.assertEqual(run.returncode, 0, run.stderr)
        [steps] = self.report('inversion')['lock_order_inversions']
        self.assertEqual({(step['first'], step['second']) for step in steps},
                         {('accounts', 'journal'), ('journal', 'accounts')})
        self.assertEqual({step['first_at'].split()[0] for step in steps}, {'pay', 'audit'})
        report = command.thrum('report', 'inversion.thrum', cwd=self.folder)
        self.assertEqual(report.returncode, 1)
        self.assertIn('Lock order', report.stdout)

    def test_orders_that_cannot_meet_are_no_inversion(self):
        for how in ('gate', 'once', 'try'):
            with self.subTest(how=how):
                self.assertEqual(self.watch('inversion', how).returncode, 0)
                self.assertEqual(self.report('inversion')['lock_order_inversions'], [])

    def test_contention_by_lock_and_place(self):
        run = self.watch('contended', '50')
        self.assertEqual((run.returncode, run.stdout), (7, 'done\n'), run.stderr)
        report = self.report('contended')
        self.assertEqual(report['ending'], 'exit status 7')
        hot = report['locks'][0]
        self.assertEqual((hot['lock'], hot['acquisitions']), ('hot', 100))
        self.assertTrue(hot['site'].startswith('work (contended.cpp:'), hot['site'])
        self.assertGreater(hot['contended'], 10)
        self.assertGreaterEqual(hot['max_wait_ns'], hot['p99_wait_ns'])
        # Each time for a millisecond at least, by one while the other waits.
        self.assertGreaterEqual(hot['held_max_ns'], hot['held_mean_ns'])
        self.assertGreaterEqual(hot['held_mean_ns'], 1_000_000)
        self.assertGreaterEqual(hot['held_samples'], 2)
        self.assertLessEqual(sum(who['times'] for who in hot['held_meanwhile_by']), hot['contended'])
        self.assertEqual(len(hot['held_meanwhile_by']), 2)
        cold = next(lock for lock in report['locks'] if lock['lock'] == 'cold')
        self.assertEqual((cold['acquisitions'], cold['contended']), (1000, 0))
        self.assertEqual(report['deadlocks'], [])
        self.assert_times_add_up(report)
        self.assertGreater(report['named_ns'], 0.97 * report['blocked_ns'])

    def on_level(self, level, *words):
        """Watches, or skips where this machine does not allow it."""
        self.options = ['--no-page', '--level', level]
        run = self.watch(*words)
        if run.returncode == 2 and re.search('capabilities|container|btf|paranoid', run.stderr):
            self.skipTest(run.stderr)
        return run

    def test_as_many_switches_as_the_kernel_counts(self):
        for level, name in (('bpf', 'BPF'), ('switches', 'switch records')):
            with self.subTest(level=level):
                self.assertEqual(self.on_level(level, 'contended', '1000').returncode, 7)
                report = self.report('contended')
                self.assertIn(f'recorder and {name};', report['level'][0])
                # All records: those of a thread begin where it was met, which the kernel's count does not.
                seen = [report['switch_records'][kind] for kind in ('voluntary', 'involuntary')]
                counted = [report['end'][kind] for kind in ('voluntary', 'involuntary')]
                self.assertGreater(sum(counted), 1000)
                # Before the program is there, its process waits for the word to start it.
                self.assertLessEqual(abs(sum(seen) - sum(counted)), 4 + 0.001 * sum(counted),
                                     (seen, counted))

    def test_bpf_tells_who_came_next_and_when_a_thread_was_let_go(self):
        self.assertEqual(self.on_level('bpf', 'handoffs', '1000').returncode, 0)
        report = self.report('handoffs')
        for thread in report['threads']:
            switches = thread['switches']
            self.assertEqual(switches['thread'] + switches['left_process'],
                             switches['voluntary'] + switches['involuntary'])
            self.assertLessEqual(switches['idle'], switches['left_process'])
        # Both on one processor, and one of them can always run: mostly it is the next.
        players = sorted(report['threads'], key=lambda thread: -thread['switches']['thread'])[:2]
        for player in players:
            self.assertGreater(player['switches']['thread'], 100, report['threads'])
            # Ready from the moment at which the other one says so, not from when it runs.
            self.assertGreater(player['states']['ready_ns'], 0)
        self.assert_times_add_up(report)

    def test_bpf_names_the_call_that_a_thread_sleeps_in(self):
        self.on_level('bpf', 'nothing')  # skips where there is none
        watcher = command.start([command.THRUM, 'watch', '-q', '--level', 'bpf', '--', 'cat'],
                                cwd=self.folder, stdin=subprocess.PIPE)
        self.addCleanup(command.end, watcher)
        children = pathlib.Path(f'/proc/{watcher.pid}/task/{watcher.pid}/children')
        call = ''
        while not call.startswith('0 0x0 '):  # read() of its standard input
            time.sleep(0.01)
            self.assertIsNone(watcher.poll())
            for pid in children.read_text().split():
                call = pathlib.Path(f'/proc/{pid}/syscall').read_text()
        watcher.communicate()
        self.assertEqual(watcher.returncode, 0)
        command.thrum('report', self.folder / 'cat.thrum', '--html')
        _, lanes = page.read((self.folder / 'cat.html').read_text())
        self.assertIn(('call', 'read'), {(one.state, one.object) for one in lanes[0]})

    def test_bpf_names_what_was_slept_on_without_a_word_to_the_recorder(self):
        self.assertEqual(self.on_level('bpf', 'direct').returncode, 0)
        [wait] = [lock for lock in self.report('direct')['locks'] if lock['lock'] == 'word']
        self.assertEqual((wait['kind'], wait['contended'], wait['site']), ('futex', 1, 'a place not seen'))
        self.assertRegex(command.thrum('report', self.folder / 'direct.thrum', '--text').stdout,
                         r'word, a place not seen\n +let go by direct \d+ \(1\)')

    def test_what_others_are_waited_for_has_a_table_of_its_own(self):
        self.options = ['--no-page']
        self.assertEqual(self.watch('waits').returncode, 0)
        report = self.report('waits')
        kinds = {wait['kind'] for wait in report['waits_for_others']}
        self.assertIn('condition', kinds)
        self.assertFalse(kinds & {'mutex', 'lock', 'futex', 'thread', 'sleep'})
        for wait in report['waits_for_others']:
            self.assertGreaterEqual(wait['waits'], 1)
            self.assertGreaterEqual(wait['total_wait_ns'], wait['max_wait_ns'])
        self.assertRegex(command.thrum('report', self.folder / 'waits.thrum', '--text').stdout,
                         r'Waits for others, by time(.|\n)*condition')

    def test_bpf_tells_the_locks_of_a_static_program(self):
        run = self.on_level('bpf', 'static_contended', '900')
        self.assertEqual((run.returncode, run.stdout), (7, 'done\n'), run.stderr)
        report = self.report('static_contended')
        self.assertIn('looked at from outside, and BPF', report['level'][0])
        self.assertIn('statically linked', report['level'][1])
        waits = sum(lock['contended'] for lock in report['locks'] if lock['lock'] == 'hot')
        # Those that last until somebody looks are some tenth of them.
        self.assertGreater(waits, 60, report['locks'])
        self.assertGreater(report['named_ns'], 0.97 * report['blocked_ns'])
        self.assert_times_add_up(report)
        # Who let go whom is known without a recorder.
        command.thrum('report', self.folder / 'static_contended.thrum', '--perfetto')
        trace = perfetto.Trace((self.folder / 'static_contended.pftrace').read_bytes())
        self.assertGreater(sum(len(one.flows_in) for of_one in trace.slices.values()
                               for one in of_one), 60)

    def test_without_the_rights_for_bpf_the_next_rung_is_taken_and_what_helps_is_named(self):
        def give_up_rights():
            libc = ctypes.CDLL(None)
            for capability in (21, 38, 39):  # CAP_SYS_ADMIN, CAP_PERFMON, CAP_BPF
                libc.prctl(24, capability)   # PR_CAPBSET_DROP, which only root needs
        words = [command.THRUM, 'watch', '--no-page']
        target = ['--', TARGETS / 'contended', '5']
        run = subprocess.run([*words, *target], cwd=self.folder, capture_output=True, text=True,
                             preexec_fn=give_up_rights)
        self.assertEqual(run.returncode, 7, run.stderr)
        report = self.report('contended')
        self.assertNotIn('BPF', report['level'][0])
        self.assertIn('sudo setcap cap_bpf,cap_perfmon+ep /', report['level'][1])
        run = subprocess.run([*words, '--level', 'bpf', *target], cwd=self.folder,
                             capture_output=True, text=True, preexec_fn=give_up_rights)
        self.assertEqual(run.returncode, 2)
        self.assertRegex(run.stderr, r'^thrum: .*contended: .*setcap.*\n$')

    def install(self):
        """Returns the command, where everybody may read it."""
        os.chmod(self.folder, 0o755)
        thrum = self.folder / 'bin/thrum'
        library = pathlib.Path(command.THRUM).parent / '../lib/thrum/libthrum_watch.so'
        for file, to in ((command.THRUM, thrum), (TARGETS / 'contended', self.folder / 'contended'),
                         (library, self.folder / 'lib/thrum/libthrum_watch.so')):
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, to)
        return thrum

    @unittest.skipIf(os.geteuid() != 0, 'only root can give capabilities')
    def test_capabilities_of_the_file_open_the_kernels_account_and_are_given_up(self):
        thrum = self.install()
        here = self.folder / 'here'
        here.mkdir()
        os.chown(here, NOBODY, NOBODY)
        given = subprocess.run(['/sbin/setcap', 'cap_bpf,cap_perfmon+ep', thrum], check=False,
                               capture_output=True, text=True)
        self.on_level('bpf', 'contended', '1')  # skips where there is none
        if given.returncode != 0:
            self.skipTest(given.stderr)  # a file system without them
        def be_nobody():
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
        run = subprocess.run(
            [thrum, 'watch', '-o', 'x.thrum', '--', 'sh', '-c',
             'grep -hE "^Cap(Prm|Eff)" /proc/$PPID/status /proc/self/status; exec ../contended 5'],
            cwd=here, capture_output=True, text=True, preexec_fn=be_nobody)
        self.assertEqual(run.returncode, 7, run.stderr)
        rights = re.findall(r'^Cap\w+:\s*(\w+)', run.stdout, re.MULTILINE)
        self.assertEqual([int(word, 16) for word in rights], [0] * 4, run.stdout)
        report = json.loads(command.thrum('report', here / 'x.thrum', '--json').stdout)
        self.assertIn('recorder and BPF', report['level'][0])
        self.assertIn('hot', [row['lock'] for row in report['locks']])

    @unittest.skipIf(os.geteuid() != 0, 'only root can be somebody else')
    def test_under_sudo_the_program_and_its_watcher_run_as_who_called_it(self):
        thrum = self.install()
        here = self.folder / 'here'
        here.mkdir()
        os.chown(here, NOBODY, NOBODY)
        script = 'grep -hE "^(Uid|Gid|Groups|CapPrm|CapEff)" /proc/$PPID/status /proc/self/status; exec ../contended 5'
        for options, uid in (([], NOBODY), (['--as-root'], 0)):
            with self.subTest(options=options):
                run = subprocess.run(
                    [thrum, 'watch', '-o', 'x.thrum', *options, '--', 'sh', '-c', script], cwd=here,
                    capture_output=True, text=True,
                    env={**os.environ, 'SUDO_UID': str(NOBODY), 'SUDO_GID': str(NOBODY)})
                self.assertEqual(run.returncode, 7, run.stderr)
                ids = re.findall(r'^[UG]id:\t(\d+)\t(\d+)\t(\d+)', run.stdout, re.MULTILINE)
                self.assertEqual(ids, [(str(uid),) * 3] * 4, run.stdout)
                rights = re.findall(r'^Cap\w+:\s*(\w+)', run.stdout, re.MULTILINE)
                self.assertEqual([int(word, 16) == 0 for word in rights], [uid != 0] * 4, run.stdout)
                report = command.thrum('report', here / 'x.thrum', '--json')
                self.assertIn('hot', [row['lock'] for row in json.loads(report.stdout)['locks']])
                self.assertEqual('who called sudo' in run.stderr, uid != 0)
                for file in ('x.thrum', 'x.html'):
                    status = (here / file).stat()
                    self.assertEqual((status.st_uid, stat.S_IMODE(status.st_mode)), (uid, 0o600))

    def test_the_lower_level_says_what_it_cannot_tell(self):
        self.options = ['--level', 'schedstat']
        self.assertEqual(self.watch('contended', '200').returncode, 7)
        report = self.report('contended')
        self.assertIn('schedstat; cannot tell when a thread was switched', report['level'][0])
        self.assertEqual(report['locks'][0]['lock'], 'hot')
        self.assert_times_add_up(report)

    def test_every_way_to_end(self):
        for how, code, end in (('return', 3, 'returned'), ('exit', 3, 'pthread_exit'),
                               ('cancel', 3, 'cancelled'), ('quick', 5, 'with the process'),
                               ('exception', 128 + signal.SIGABRT, 'uncaught std::runtime_error'),
                               ('abort', 128 + signal.SIGABRT, 'abort()'),
                               ('segv', 128 + signal.SIGSEGV, 'SIGSEGV'),
                               ('kill', 128 + signal.SIGKILL, 'with the process')):
            with self.subTest(how=how):
                run = self.watch('ends', how)
                self.assertEqual(run.returncode, code, run.stderr)
                report = self.report('ends')
                ends = {thread['name']: thread['end'] for thread in report['threads']}
                self.assertEqual(ends.get('ender', ends), end)
                self.assert_times_add_up(report)

    def test_every_kind_of_wait_is_named_with_who_let_go(self):
        run = self.watch('waits')
        self.assertEqual(run.returncode, 0, run.stderr)
        report = self.report('waits')
        self.assertGreater(report['named_ns'], 0.97 * report['blocked_ns'])
        self.assertLessEqual({'semaphore', 'word', 'shared'}, {row['lock'] for row in report['locks']})

    def test_children_are_followed(self):
        run = self.watch('fork')
        self.assertEqual(run.returncode, 4, run.stderr)
        pids = [int(line.split()[1]) for line in run.stdout.splitlines()]
        report = self.report('fork')
        self.assertEqual({process['pid'] for process in report['processes']}, set(pids))
        child = next(p['serial'] for p in report['processes'] if p['pid'] == pids[0])
        self.assertEqual(len([t for t in report['threads'] if t['process'] == child]), 2)

    @unittest.skipIf(SANITIZED, 'the compiler takes one sanitizer at a time')
    def test_a_child_with_the_thread_sanitizer_gets_no_false_reports(self):
        run = self.watch('fork', 'exec', TARGETS / 'tsan')
        self.assertEqual((run.returncode, 'ThreadSanitizer' in run.stderr), (0, False), run.stderr)

    def test_a_child_that_becomes_another_program(self):
        run = self.watch('fork', 'exec', TARGETS / 'contended', '3')
        self.assertEqual(run.returncode, 7, run.stderr)
        report = self.report('fork')
        self.assertEqual(len(report['processes']), 3)
        self.assertEqual(len({p['pid'] for p in report['processes']}), 2)
        self.assertIn('exec', [thread['end'] for thread in report['threads']])
        self.assertIn('hot', [lock['lock'] for lock in report['locks']])

    def test_children_are_left_alone_if_so_wanted(self):
        self.options = ['--no-follow']
        self.assertEqual(self.watch('fork').returncode, 4)
        self.assertEqual(len(self.report('fork')['processes']), 1)

    def test_a_full_ring_drops_and_counts(self):
        run = self.watch('flood', '20000')
        self.assertEqual((run.returncode, run.stdout), (0, 'through\n'), run.stderr)
        self.assertRegex(run.stderr, r'lost: [\d,]+ events found no room')
        self.assertGreater(self.report('flood')['end']['events_lost'], 1000)

    def test_long_waits_are_known_though_the_recorder_rests(self):
        run = self.watch('restless')
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertGreater(self.report('restless')['end']['rested_ns'], 0)
        _, lanes = page.read((self.folder / 'restless.html').read_text())
        name = 'condition (anonymous namespace)::seldom'
        [lane] = [lane for lane in lanes if any(one.object == name for one in lane)]
        # A thread may sleep inside of a wait more than once, for a page.
        waits = [one for one in lane if one.object == name and one.end - one.begin > 25e6]
        self.assertEqual(len(waits), 11, lane)
        self.assertEqual({one.waker for one in waits[:10]}, {0}, lane)  # the clock
        self.assertGreater(waits[-1].end - waits[-1].begin, 300e6)  # until the end of all

    def test_threads_by_the_thousand(self):
        run = self.watch('threads', '10000')
        self.assertEqual((run.returncode, run.stdout), (0, 'all\n'), run.stderr)
        report = self.report('threads')
        # On a busy machine they may come faster than the watcher runs: then they are counted.
        self.assertEqual(len(report['threads']) + report['end']['threads_lost'], 10001)
        self.assertGreater(len(report['threads']), 4096)

    def test_a_program_that_does_not_exist(self):
        self.assert_one_line(self.watch(target=['no-such-program']), 2,
                             'thrum: no-such-program: no such command\n')
        self.assert_one_line(self.watch(target=['./no-such-program']), 2,
                             'thrum: ./no-such-program: No such file or directory\n')
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_folder_is_no_program(self):
        self.assert_one_line(self.watch(target=['/tmp']), 2, 'thrum: /tmp: Permission denied\n')

    def test_a_recording_that_cannot_be_written(self):
        self.options = ['-o', '/no/such/place.thrum']
        self.assert_one_line(self.watch('nothing'), 3,
                             'thrum: /no/such/place.thrum: No such file or directory\n')

    def test_a_script_runs_as_without(self):
        script = self.folder / 'script'
        script.write_text('#!/bin/sh\necho "$1"; exit 9\n')
        script.chmod(0o755)
        run = self.watch(target=[script, 'said'])
        self.assertEqual((run.returncode, run.stdout), (9, 'said\n'), run.stderr)

    def test_a_recording_is_for_its_owner_alone(self):
        self.watch('nothing')
        files = sorted(self.folder.iterdir())
        self.assertEqual([path.name for path in files], ['nothing.html', 'nothing.thrum'])
        for path in files:
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)

    def test_a_recording_that_was_cut_off_is_read_as_far_as_it_goes(self):
        self.watch('contended', '5')
        whole = (self.folder / 'contended.thrum').read_bytes()
        for size in (len(whole) - 1, len(whole) // 2, 40, 16):
            with self.subTest(size=size):
                (self.folder / 'cut.thrum').write_bytes(whole[:size])
                run = command.thrum('report', 'cut.thrum', cwd=self.folder)
                self.assertEqual(run.returncode, 3)
                self.assertRegex(run.stderr, r'^thrum: cut.thrum: read in part: [^\n]+\n$')

    def test_what_is_no_recording(self):
        for text in (b'', b'THRUMREC', b'x' * 100):
            with self.subTest(text=text):
                (self.folder / 'x.thrum').write_bytes(text)
                self.assert_one_line(command.thrum('report', 'x.thrum', cwd=self.folder), 2,
                                     'thrum: x.thrum: not a recording of thrum watch\n')
        (self.folder / 'x.thrum').write_bytes(b'THRUMREC' + bytes([9, 0, 0, 0, 0, 0, 0, 0]))
        self.assert_one_line(
            command.thrum('report', 'x.thrum', cwd=self.folder), 2,
            'thrum: x.thrum: a recording of version 9; this thrum reads versions 1 to 3\n')
        self.assert_one_line(command.thrum('report', 'no.thrum', cwd=self.folder), 2,
                             'thrum: no.thrum: No such file or directory\n')

    def test_the_page_lets_nothing_in_and_shows_names_as_text(self):
        script = self.folder / 'x</script><script>alert(1)</script>'.replace('/', '')
        script.write_text('#!/bin/sh\n')
        script.chmod(0o755)
        self.options = ['-o', 'p.thrum']
        self.assertEqual(self.watch(target=[script]).returncode, 0)
        page = (self.folder / 'p.html').read_text()
        self.assertNotIn('alert(1)', page)
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
        self.assertTrue(policy.startswith("default-src 'none'; "), policy)
        self.assertNotIn('unsafe', policy)
        for kind, element in (('script-src', r'<script>(.*?)</script>'), ('style-src', r'<style>(.*?)</style>')):
            [source] = re.findall(element, page, re.DOTALL)
            digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
            self.assertIn(f"{kind} 'sha256-{digest}'", policy)
        self.assertNotRegex(page, r'https?://|innerHTML')

    def test_forms_for_other_tools(self):
        self.watch('contended', '20')
        folded = command.thrum('report', 'contended.thrum', '--folded', cwd=self.folder)
        self.assertRegex(folded.stdout, r'(?m)^contended;.*;work;.*;\[mutex hot\] \d+$')
        run = command.thrum('report', 'contended.thrum', '--pprof', cwd=self.folder)
        self.assertEqual((run.returncode, run.stdout), (0, 'contended.pb.gz\n'), run.stderr)
        profile = gzip.decompress((self.folder / 'contended.pb.gz').read_bytes())
        for text in (b'contentions', b'delay', b'nanoseconds', b'hot', b'work'):
            self.assertIn(text, profile)

    def test_a_form_that_cannot_be_written(self):
        self.watch('nothing')
        self.assert_one_line(
            command.thrum('report', 'nothing.thrum', '--html', '-o', '/no/such/x', cwd=self.folder), 3,
            'thrum: /no/such/x: No such file or directory\n')

    def test_a_watcher_that_is_killed_leaves_what_it_had(self):
        watcher = command.start([command.THRUM, 'watch', '-q', '--', TARGETS / 'deadlock'],
                                cwd=self.folder, stderr=subprocess.PIPE, text=True)
        self.addCleanup(command.end, watcher)
        watcher.stderr.readline()
        watcher.stderr.readline()
        [part] = self.folder.iterdir()
        pid = json.loads(command.thrum('report', '--json', part).stdout)['meta']['pid']
        watcher.kill()
        os.kill(pid, signal.SIGKILL)
        watcher.communicate()
        run = command.thrum('report', part)
        self.assertEqual(run.returncode, 3)
        self.assertIn('Deadlock: 3 threads', run.stdout)


if __name__ == '__main__':
    command.main()
