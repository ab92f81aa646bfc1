# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""What this project's own library tells of itself: names of objects, holders, depth of queues."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import command
import page
import perfetto

TARGETS = pathlib.Path(os.environ.get('TARGETS', command.ROOT / 'build/default/tests/watch/targets'))
SOURCE = (pathlib.Path(__file__).parent / 'targets/objects.cpp').read_text().splitlines()
TIME_MS = 300  # long enough for a watcher that has to wait for a processor
# Thread -> what it waits for, as the page calls it.
WAITS = {'putter': 'queue jobs (put)', 'getter': 'queue results (get)', 'joiner': 'queue jobs (join)',
         'locker': 'lock accounts', 'writer': 'lock (anonymous namespace)::journal',
         'taker': 'semaphore (anonymous namespace)::permits', 'waiter': 'event (anonymous namespace)::go',
         'watcher': 'condition (anonymous namespace)::changed'}


@unittest.skipIf(os.environ.get('SANITIZED') == '1', 'the library is instrumented: a program with it is refused')
class Objects(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.reports = {}
        for name in ('objects', 'objects_shared'):
            run = command.thrum('watch', '--', TARGETS / name, str(TIME_MS), cwd=cls.folder)
            assert run.returncode == 0, run.stderr
            cls.summary = run.stdout + run.stderr
            report = command.thrum('report', f'{name}.thrum', '--json', cwd=cls.folder)
            cls.reports[name] = json.loads(report.stdout)

    def each(self):
        for name, report in self.reports.items():
            with self.subTest(linked=name):
                yield report

    def lanes(self, name):
        model, lanes = page.read((self.folder / f'{name}.html').read_text())
        return model, {thread['name']: lane for thread, lane in zip(model['threads'], lanes)}

    def line_of(self, words):
        return next(i for i, line in enumerate(SOURCE, 1) if words in line)

    def test_a_wait_has_the_name_of_its_object_and_the_users_line(self):
        for name in self.reports:
            with self.subTest(linked=name):
                _, lanes = self.lanes(name)
                for thread, what in WAITS.items():
                    longest = max((one for one in lanes[thread] if one.object), key=lambda one: one.end - one.begin)
                    self.assertEqual(longest.object, what)
                    self.assertGreaterEqual(longest.end - longest.begin, TIME_MS * 1e6 / 2)
                    self.assertIn('(objects.cpp:', longest.site, thread)
                [site] = {one.site for one in lanes['putter'] if one.object == WAITS['putter']}
                # gcc: operator(), clang: main::$_1::operator()
                self.assertIn(f"operator() (objects.cpp:{self.line_of('jobs.put(8)')})", site)

    def test_without_debug_information_a_wait_is_at_the_users_function(self):
        # As gcc names it and as clang does: the one that the thread runs.
        subprocess.run(['strip', '-g', '-o', self.folder / 'bare', TARGETS / 'objects'], check=True)
        run = command.thrum('watch', '--', self.folder / 'bare', '1', cwd=self.folder)
        self.assertEqual(run.returncode, 0, run.stderr)
        _, lanes = self.lanes('bare')
        for thread, what in WAITS.items():
            # They may also wait for a lock inside of the library, to enroll.
            sites = {one.site for one in lanes[thread] if one.object == what}
            for site in sites:
                self.assertRegex(site, r'^main::(\{lambda\(\)#\d\}|\$_\d) \(bare\)$', thread)
            self.assertTrue(sites, thread)

    def test_a_wait_for_a_lock_has_its_holder(self):
        for report in self.each():
            [main] = [thread['serial'] for thread in report['threads'] if thread['name'].startswith('objects')]
            for name in ('accounts', '(anonymous namespace)::journal'):
                [lock] = [lock for lock in report['locks'] if lock['lock'] == name]
                self.assertEqual((lock['kind'], lock['contended']), ('lock', 1))
                self.assertEqual(lock['held_meanwhile_by'], [{'thread': main, 'times': 1}])
                self.assertGreaterEqual(lock['total_wait_ns'], TIME_MS * 1e6 / 2)

    def test_who_let_a_thread_go_is_known(self):
        model, lanes = self.lanes('objects')
        names = [thread['name'] for thread in model['threads']]
        for thread in ('putter', 'getter', 'locker', 'writer', 'taker', 'waiter'):
            wakers = {names[one.waker - 1] for one in lanes[thread] if one.object == WAITS[thread] and one.waker}
            self.assertEqual(wakers, {'objects'}, thread)

    def test_queues_have_their_depth_over_time(self):
        for report in self.each():
            queues = {queue['queue']: queue for queue in report['queues']}
            self.assertEqual(set(queues), {'jobs', 'results'})
            jobs = queues['jobs']
            self.assertEqual((jobs['limit'], jobs['depth']['most']), (8, 8))
            items = [items for _, items in jobs['depth_from_ns']]
            self.assertIn(3, items[items.index(8):])
            # Eight for so long, three for so long: looked at every 10 ms, more seldom on a busy machine.
            self.assertTrue(3 < jobs['depth']['mean'] <= 8, jobs['depth'])
            self.assertEqual((jobs['put']['waits'], jobs['join']['waits']), (1, 1))
            self.assertEqual((queues['results']['get']['waits'], queues['results']['limit']), (1, 0))
            times = [ns for ns, _ in jobs['depth_from_ns']]
            self.assertEqual(times, sorted(times))
            self.assertTrue(jobs['begin_ns'] <= times[0] and times[-1] <= jobs['end_ns'] <= report['duration_ns'])

    def test_every_form_has_the_depth(self):
        self.assertRegex(self.summary, r'Queues(.|\n)* 1 +\d \d* *\S+ +8 +8  .*jobs')
        command.thrum('report', 'objects.thrum', '--perfetto', cwd=self.folder)
        trace = perfetto.Trace((self.folder / 'objects.pftrace').read_bytes())
        [track] = [uuid for uuid, name in trace.counters.items() if 'items in queue jobs' in str(name)]
        values = [value for _, value in trace.values[track]]
        self.assertEqual(values, [items for queue in self.reports['objects']['queues'] if queue['queue'] == 'jobs'
                                  for _, items in queue['depth_from_ns']])
        model, _ = self.lanes('objects')
        [queue] = [queue for queue in model['queues'] if queue['name'] == 'jobs']
        self.assertEqual((queue['most'], queue['limit']), (8, 8))
        self.assertTrue(queue['points'])


if __name__ == '__main__':
    unittest.main()
