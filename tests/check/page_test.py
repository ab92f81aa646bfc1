# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""The page of a finding in a real browser."""

import pathlib
import tempfile
import unittest

import browser
import command

PROGRAMS = pathlib.Path(__file__).parent / 'programs'


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.browser = cls.enterClassContext(browser.Browser())

    def program(self, name):
        program = self.folder / name
        if not program.exists():
            made = command.thrum('c++', '-std=c++20', '-O1', '-I', command.ROOT / 'include', PROGRAMS / f'{name}.cpp', '-o', program)
            self.assertEqual((made.returncode, made.stderr), (0, ''))
        return program

    def open(self, name, *options, dark=False):
        program, page = self.program(name), self.folder / f'{name}.html'
        if not page.exists():
            run = command.thrum('check', '-j', '1', '--schedules', '2000', '--html', page, *options, '--', program)
            self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
            self.assertIn(str(page), run.stdout)
        return self.show(page, dark)

    def show(self, page, dark=False):
        self.browser.events.clear()
        self.browser.open(page, dark=dark)
        self.addCleanup(lambda: self.assertEqual(self.browser.complaints(), []))
        return self.browser.run

    def test_a_deadlock_shows_who_waits_for_whom(self):
        run = self.open('two_locks')
        self.assertEqual(run('$("verdict").textContent'), 'deadlock')
        self.assertEqual(run('[...document.querySelectorAll(".ring .label")].map((e) => e.textContent).sort()'),
                         ['left', 'right'])
        self.assertIn('wants right, held by T2 two_locks.cpp:12', run('$("why").textContent'))
        self.assertRegex(run('$("line").textContent'), r"^thrum replay 'check1:.*' -- /.*/two_locks$")

    def test_what_is_no_finding_is_not_told_as_one_nor_as_success(self):
        # Schedules as people may write them: none that was found ends so in the program it was found in.
        line = 'check1:-:0000000000000000::{}::{}'
        for name, arguments, schedule, verdict, end in (
                ('counts_under_lock', [], line.format('', ''), 'no failure', 'clean'),
                ('counts_under_lock', [], line.format('', 's5'), 'too long', 'unknown'),
                ('says', ['assume'], line.format('1.0-5', 'e1'), 'assumed away', 'unknown'),
                ('clones', [], line.format('', ''), 'not controlled', 'unknown')):
            with self.subTest(verdict=verdict):
                page = self.folder / 'replayed.html'
                run = command.thrum('replay', '--html', page, schedule, '--', self.program(name), *arguments)
                self.assertIn(verdict, run.stdout)
                run = self.show(page)
                self.assertEqual(run('$("verdict").textContent'), verdict)
                self.assertEqual(run('$("head").className'), end)
                last = run('(() => { const e = [...document.querySelectorAll(".verdict")].pop();'
                           ' return [e.className, e.textContent]; })()')
                self.assertEqual(last[0], f'verdict {end}')
                self.assertTrue(last[1].startswith(verdict), last)

    def test_a_hang_names_the_call(self):
        run = self.open('computes_for_ever', '--patience', '300ms')
        self.assertEqual(run('[$("verdict").textContent, $("head").className]'), ['hang', 'finding'])

    def test_each_thread_has_a_column_and_each_preemption_a_mark(self):
        run = self.open('lost_update')
        self.assertEqual(run('[...document.querySelectorAll(".head")].map((e) => e.textContent)'),
                         ['', 'main', 'T1', 'T2'])
        self.assertEqual(run('document.querySelectorAll(".turn.preempts").length'), 1)
        self.assertEqual(run('document.querySelector(".turn.preempts").textContent'), 'T2 preempts T1')
        lefts = run('[1, 2].map((t) => [...document.querySelectorAll(`.step.t${t}`)].map('
                    '(e) => e.getBoundingClientRect().left))')
        for column in lefts:
            self.assertEqual(len(set(column)), 1)
        self.assertLess(lefts[0][0], lefts[1][0])
        self.assertEqual(run('[...document.querySelectorAll(".verdict")].pop().textContent.split(":")[0]'),
                         'assertion failed')

    def test_a_step_opens_to_its_stack_and_a_name_is_marked_everywhere(self):
        run = self.open('lost_update')
        self.assertEqual(run('(() => { const cell = [...document.querySelectorAll(".step.t1")][1]; cell.click();'
                             ' return getComputedStyle(cell.querySelector(".frames")).display; })()'), 'block')
        run('document.querySelector(".step.t1 b").click()')
        self.assertEqual(run('document.querySelectorAll(".step.same").length'), 5)

    def test_a_long_run_of_one_thread_is_folded_until_it_is_wanted(self):
        run = self.open('many_threads')
        before = run('document.querySelectorAll(".step").length')
        self.assertGreater(run('document.querySelectorAll(".more").length'), 0)
        run('[...document.querySelectorAll(".more")].forEach((e) => e.click())')
        self.assertEqual(run('document.querySelectorAll(".step").length'), run('model.steps.length'))
        self.assertLess(before, run('model.steps.length'))

    def test_names_made_to_harm_are_only_text(self):
        run = self.open('hostile_names')
        self.assertEqual(run('document.querySelectorAll("img, main script").length'), 0)
        self.assertIn('<img src=x', run('$("grid").textContent'))
        self.assertIn('</script><img', run('$("why").textContent'))

    def test_dark_where_the_system_is(self):
        for dark in (False, True):
            run = self.open('two_locks', dark=dark)
            light = run('getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every((c) => c > 127)')
            self.assertEqual(light, not dark)


if __name__ == '__main__':
    command.main()
