# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""The forms that thrum report writes, read again by readers of their own."""

import collections
import json
import os
import pathlib
import stat
import subprocess
import tempfile
import time
import unittest

import command
import page
import perfetto

BUILD = command.ROOT / 'build/default/tests/watch'
SYNTHETIC = os.environ.get('SYNTHETIC', str(BUILD / 'synthetic'))
TARGETS = pathlib.Path(os.environ.get('TARGETS', BUILD / 'targets'))


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        subprocess.run([SYNTHETIC, cls.folder / 'some.thrum', '20000', '12'], check=True)
        subprocess.run([SYNTHETIC, cls.folder / 'many.thrum', '220000', '7'], check=True)
        subprocess.run([SYNTHETIC, cls.folder / 'bad.thrum', 'hostile'], check=True)

    def report(self, name, *options, code=0):
        run = command.thrum('report', f'{name}.thrum', *options, cwd=self.folder)
        self.assertEqual((run.returncode, run.stderr), (code, ''))
        return run.stdout

    def json(self, name):
        return json.loads(self.report(name, '--json'))

    def watch(self, name, *args):
        command.thrum('watch', '-q', '--kill-on-deadlock', '--', TARGETS / name, *args, cwd=self.folder)

    def trace(self, name):
        self.assertEqual(self.report(name, '--perfetto'), f'{name}.pftrace\n')
        return perfetto.Trace((self.folder / f'{name}.pftrace').read_bytes())

    def assert_trace_agrees(self, trace, report):
        threads = {(thread['tid'], thread['begin_ns']): thread for thread in report['threads']}
        self.assertEqual(len(trace.threads), len(threads))
        for uuid, (_, tid, name) in trace.threads.items():
            slices = trace.slices[uuid]
            thread = threads[tid, slices[0].begin]
            self.assertEqual(name, thread['name'])
            self.assertEqual(slices[-1].end, thread['end_ns'])
            sums = collections.Counter()
            for one, after in zip(slices, slices[1:] + [None]):
                sums[one.category + '_ns'] += one.end - one.begin
                self.assertTrue(after is None or after.begin == one.end, 'a gap')
            self.assertEqual(sums, {state: ns for state, ns in thread['states'].items() if ns})

    def test_perfetto_has_each_thread_with_its_states_to_the_nanosecond(self):
        trace = self.trace('some')
        self.assert_trace_agrees(trace, self.json('some'))
        self.assertEqual(list(trace.processes.values()), [(1000, 'synthetic')])
        names = {one.name for rows in trace.slices.values() for one in rows}
        self.assertLessEqual({'running', 'ready', 'in the kernel', 'mutex lock_3'}, names)

    def test_perfetto_has_flows_from_who_let_go_to_who_went_on(self):
        trace = self.trace('some')
        ends = {flow: (uuid, one) for uuid, rows in trace.slices.items() for one in rows
                for flow in one.flows_in}
        starts = {flow: one for one in trace.instants for flow in one.flows}
        self.assertGreater(len(starts), 1000)
        self.assertEqual(len(starts), sum(len(one.flows) for one in trace.instants), 'an id is given twice')
        self.assertLessEqual(set(ends), set(starts))
        self.assertGreater(len(ends), 0.95 * len(starts))
        for flow, (uuid, woken) in ends.items():
            self.assertNotEqual(starts[flow].track, uuid)
            self.assertGreaterEqual(woken.begin, starts[flow].when)
            rows = trace.slices[uuid]
            before = rows[rows.index(woken) - 1]
            if woken.name == 'ready':  # it waited until that moment, for that lock
                self.assertEqual(before.end, starts[flow].when)
                self.assertEqual(starts[flow].name, f'lets go {before.name}')
                self.assertEqual(before.notes['let go by'].split()[-1],
                                 str(trace.threads[starts[flow].track][1]))

    def test_perfetto_counts_who_waits_for_the_locks_that_cost_most(self):
        trace, report = self.trace('some'), self.json('some')
        locks = [uuid for uuid, name in trace.counters.items() if name.startswith('waiting for ')]
        self.assertEqual(len(locks), 16)
        self.assertIn('waiting for ' + report['locks'][0]['lock'], trace.counters.values())
        for uuid in locks:
            values = trace.values[uuid]
            self.assertEqual([when for when, _ in values], sorted({when for when, _ in values}))
            self.assertGreaterEqual(min(n for _, n in values), 0)
            self.assertGreater(max(n for _, n in values), 0)
            self.assertEqual(values[-1][1], 0)

    def test_perfetto_of_a_real_program(self):
        self.watch('contended', '40')
        trace = self.trace('contended')
        self.assert_trace_agrees(trace, self.json('contended'))
        self.assertIn('waiting for hot', trace.counters.values())
        hot = [one for rows in trace.slices.values() for one in rows if one.name == 'mutex hot']
        self.assertGreater(len(hot), 10)
        self.assertTrue(hot[0].notes['at'].startswith('work (contended.cpp:'))
        self.assertIn('held by', hot[0].notes)

    def assert_page_agrees(self, model, lanes, report):
        self.assertEqual(len(lanes), len(report['threads']))
        for thread, lane in zip(model['threads'], lanes):
            other = next(one for one in report['threads']
                         if (one['tid'], one['begin_ns']) == (thread['tid'], thread['begin']))
            self.assertEqual(sum(thread['ns']), thread['end'] - thread['begin'])
            self.assertEqual(thread['ns'], list(other['states'].values()))
            sums = collections.Counter()
            for one, after in zip(lane, lane[1:] + [None]):
                sums[one.state] += one.end - one.begin
                self.assertTrue(after is None or after.begin == one.end)
            blocked = sum(sums[state] for state in page.STATES[4:])
            # Each end of a slice is right to half of the quantum, so the whole life is as well.
            self.assertLessEqual(abs(lane[-1].end - thread['end']), model['quantum'] / 2)
            self.assertLessEqual(abs(lane[0].begin - thread['begin']), model['quantum'] / 2)
            for ns, state in ((blocked, 4), (sums['running'], 2), (sums['ready'], 1)):
                self.assertLessEqual(abs(ns - thread['ns'][state]), model['quantum'] * len(lane) / 2)

    def test_the_page_has_every_slice(self):
        for name, quantum in (('some', 1), ('many', 100)):
            with self.subTest(name=name):
                self.report(name, '--html')
                model, lanes = page.read((self.folder / f'{name}.html').read_text())
                self.assertEqual(model['quantum'], quantum)
                self.assert_page_agrees(model, lanes, self.json(name))
                arrows = [one for lane in lanes for one in lane if one.waker]
                self.assertGreater(len(arrows), 1000)
                self.assertTrue(all(one.woken <= one.end and one.object for one in arrows))

    def test_the_page_of_a_real_program_tells_what_is_waited_for(self):
        self.watch('waits')
        self.report('waits', '--html')
        model, lanes = page.read((self.folder / 'waits.html').read_text())
        self.assert_page_agrees(model, lanes, self.json('waits'))
        found = {(one.state, one.object) for lane in lanes for one in lane if one.object}
        self.assertLessEqual({('blocked', 'semaphore'), ('blocked', 'futex word'),
                              ('asleep', 'sleep')}, found)
        self.assertTrue(any(state == 'others' and what.startswith('end of waits ')
                            for state, what in found), found)

    def test_names_made_to_harm_are_text_in_every_form(self):
        text = self.report('bad', '--text', '--all') + self.report('bad', '--folded')
        text += self.report('bad', '--html') and (self.folder / 'bad.html').read_text()
        trace = self.trace('bad')
        model, _ = page.read((self.folder / 'bad.html').read_text())
        names = [name for *_, name in trace.threads.values()] + [name for _, name in trace.processes.values()]
        names += list(trace.counters.values()) + [one.name for one in trace.instants]
        names += model['objects'] + model['sites'] + [thread['name'] for thread in model['threads']]
        names += [row[0] for row in model['locks']] + [model['command']]
        for shown in (text, *names):
            for evil in ('\u202e', '\x1b', '\x01'):
                self.assertNotIn(evil, shown)
        self.assertNotIn('onerror', (self.folder / 'bad.html').read_text())
        self.assertIn(r'onerror=alert(1)>\xe2\x80\xae\x1b[31m', model['command'])

    def test_exit_codes_tell_what_was_found_in_every_form(self):
        for name, args, code in (('contended', ['3'], 0), ('inversion', [], 1), ('deadlock', [], 1)):
            self.watch(name, *args)
            for form in ('--text', '--json', '--html', '--folded', '--pprof', '--perfetto'):
                with self.subTest(name=name, form=form):
                    self.report(name, form, code=code)

    def test_what_is_written_is_for_its_owner_alone_and_follows_no_link(self):
        victim = self.folder / 'victim'
        for form, ending in (('--html', 'html'), ('--pprof', 'pb.gz'), ('--perfetto', 'pftrace'),
                             ('--json', 'json'), ('--text', 'txt'), ('--folded', 'folded')):
            with self.subTest(form=form):
                output = self.folder / f'out.{ending}'
                victim.write_text('precious')
                output.symlink_to(victim)
                run = subprocess.run([command.THRUM, 'report', 'some.thrum', form, '-o', output.name],
                                     cwd=self.folder, capture_output=True, umask=0, check=False)
                self.assertEqual((run.returncode, run.stderr), (0, b''))
                self.assertEqual(victim.read_text(), 'precious')
                self.assertTrue(stat.S_ISREG(output.lstat().st_mode))
                self.assertEqual(stat.S_IMODE(output.lstat().st_mode), 0o600)
                output.unlink()

    def test_nothing_is_left_in_places_that_all_may_write(self):
        def ours():
            return {path for place in ('/tmp', '/var/tmp', '/dev/shm') for path in pathlib.Path(place).glob('*')
                    if 'thrum' in path.name or path.name.startswith(('contended', 'nothing'))}
        before = ours()
        self.watch('nothing')
        self.report('nothing', '--html')
        while ours() - before:  # others that run meanwhile take away what is theirs
            time.sleep(0.05)


if __name__ == '__main__':
    command.main()
