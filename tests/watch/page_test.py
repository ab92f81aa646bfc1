# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""The page in a real browser."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import browser
import command

SYNTHETIC = os.environ.get('SYNTHETIC', str(command.ROOT / 'build/default/tests/watch/synthetic'))

# How the colours of a page, a list of [r, g, b], look to eyes that lack one kind of cone; the
# matrices are those of Machado, Oliveira and Fernandes (2009) for a complete lack.
LACKING = {
    'all': [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    'red': [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    'green': [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    'blue': [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def lab(colour, matrix):
    linear = [((c / 255 + 0.055) / 1.055) ** 2.4 if c > 10 else c / 255 / 12.92 for c in colour]
    r, g, b = (min(1, max(0, sum(m * c for m, c in zip(row, linear)))) for row in matrix)
    xyz = (0.4124 * r + 0.3576 * g + 0.1805 * b, 0.2126 * r + 0.7152 * g + 0.0722 * b,
           0.0193 * r + 0.1192 * g + 0.9505 * b)
    x, y, z = (c / white for c, white in zip(xyz, (0.9505, 1, 1.089)))
    x, y, z = (c ** (1 / 3) if c > 0.008856 else 7.787 * c + 16 / 116 for c in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.browser = cls.enterClassContext(browser.Browser())

    def open(self, *made, **options):
        subprocess.run([SYNTHETIC, self.folder / 'x.thrum', *made], check=True)
        run = command.thrum('report', 'x.thrum', '--html', cwd=self.folder)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.browser.events.clear()
        self.browser.open(self.folder / 'x.html', **options)
        self.addCleanup(lambda: self.assertEqual(self.browser.complaints(), []))
        return self.browser.run

    def key(self, name):
        self.browser.run(f'dispatchEvent(new KeyboardEvent("keydown", {{key: "{name}"}}))')

    def test_a_page_that_is_not_there_is_not_waited_for(self):
        with self.assertRaisesRegex(OSError, 'none.html: net::ERR_FILE_NOT_FOUND'):
            self.browser.open(self.folder / 'none.html')

    def test_names_made_to_harm_are_only_text(self):
        run = self.open('hostile')
        self.assertEqual(run('document.querySelectorAll("img, script:not([type]):not(:last-of-type)").length'), 0)
        self.assertTrue(run('document.getElementById("command").textContent').startswith('</script><img src=x'))
        self.assertTrue(run('document.querySelector("#threads td").textContent').startswith('</script><img s'))
        self.assertTrue(run('document.querySelector("#queue_table td").textContent').startswith('</script><img s'))

    def test_the_sums_of_a_lane_are_those_of_its_slices(self):
        run = self.open('30000', '5')
        worst = run('''(() => {
          let worst = 0;
          const a = new Float64Array(N), b = new Float64Array(N);
          for (const lane of model.lanes) {
            for (let k = 0; k < 300; ++k) {
              const from = lane.begin + (lane.end - lane.begin) * ((k * 7919) % 1000) / 1000;
              const to = Math.min(lane.end, from + 1000 * k);
              sum_until(lane, from, a);
              sum_until(lane, to, b);
              const mine = new Float64Array(N);
              for (let i = 0; i < lane.n; ++i) {
                mine[lane.state[i]] += Math.max(0, Math.min(to, lane.start[i + 1]) - Math.max(from, lane.start[i]));
              }
              for (let s = 0; s < N; ++s) worst = Math.max(worst, Math.abs(b[s] - a[s] - mine[s]));
            }
          }
          return worst;
        })()''')
        self.assertLess(worst, 0.01)

    def test_it_shows_the_time_in_which_threads_live(self):
        run = self.open('600', '8')
        self.assertLess(run('(Math.min(...model.threads.map((t) => t.begin)) - view.from) / (view.to - view.from)'), 0.01)
        self.assertLess(run('(view.to - Math.max(...model.threads.map((t) => t.end))) / (view.to - view.from)'), 0.01)

    def test_keys_and_wheel_move_and_zoom(self):
        run = self.open('600', '8')
        span = run('view.to - view.from')
        self.key('+')
        self.assertAlmostEqual(run('view.to - view.from') / span, 0.6, 5)
        before = run('view.from')
        self.key('ArrowRight')
        self.assertGreater(run('view.from'), before)
        self.key('0')
        self.assertAlmostEqual(run('view.to - view.from'), span, 0)
        at = run('(() => { const box = canvas.getBoundingClientRect(); return [box.left + 700, box.top + 100]; })()')
        moment = run(f'pick({{clientX: {at[0]}, clientY: {at[1]}}}).t')
        self.browser.call('Input.dispatchMouseEvent', type='mouseWheel', x=at[0], y=at[1], deltaX=0, deltaY=-400)
        run('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
        self.assertLess(run('view.to - view.from'), 0.7 * span)
        self.assertAlmostEqual(run(f'pick({{clientX: {at[0]}, clientY: {at[1]}}}).t'), moment, 0)

    def test_the_pointer_tells_what_a_thread_does_who_holds_it_and_who_let_go(self):
        run = self.open('600', '8')
        x, y = run('''(() => {
          const lane = model.lanes[3];
          let i = 0;
          while (lane.state[i] !== BLOCKED || !model.waits.waker[lane.base + i] || !model.waits.holder[lane.base + i]) ++i;
          look(lane.start[i] - 1000, lane.start[i + 1] + 1000);
          const box = canvas.getBoundingClientRect();
          return [GUTTER + (box.width - GUTTER) / 2 + box.left, box.top + OVERVIEW + AXIS + 3.5 * ROW];
        })()''')
        self.browser.call('Input.dispatchMouseEvent', type='mouseMoved', x=x, y=y)
        text = run('document.getElementById("tip").textContent')
        self.assertRegex(text, r'^worker-3 1003waits for a lock for [\d.]+ .s\nfrom [\d.]+ .s\n\n'
                               r'mutex lock_\d+\nat stage_\d+ \(synthetic.cpp:\d+\)\n'
                               r'held by (main|worker-\d) 100\d\nlet go by (main|worker-\d) 100\d, ran [\d.]+ .s later$')

    def test_search_finds_threads_locks_and_functions(self):
        run = self.open('2000', '8')
        for words, some in (('worker-3', 1), ('lock_1', 8), ('stage_2', 8), ('nothing like it', 0)):
            with self.subTest(words=words):
                run(f'search("{words}")')
                self.assertEqual(run('shown.length'), some)
        run('search("")')
        self.assertEqual(run('shown.length'), 8)

    def test_a_lane_is_filled_with_the_colours_of_its_states(self):
        for dark in (False, True):
            with self.subTest(dark=dark):
                run = self.open('600', '4', dark=dark)
                got, state = run('''(() => {
                  const lane = model.lanes[2], states = [];
                  draw();
                  for (let x = GUTTER + 40; x < canvas.clientWidth - 40; x += 17) {
                    const t = view.from + (x + 0.5 - GUTTER) * (view.to - view.from) / (canvas.clientWidth - GUTTER);
                    const i = slice_at(lane, t), scale = (view.to - view.from) / (canvas.clientWidth - GUTTER);
                    if (i < 0 || i >= lane.n || lane.start[i + 1] - t < 3 * scale || t - lane.start[i] < 3 * scale) continue;
                    states.push([pixels[Math.round(AXIS + OVERVIEW + 2.5 * ROW) * canvas.width + x], numbers[lane.state[i]]]);
                  }
                  return [states.map((pair) => pair[0]), states.map((pair) => pair[1])];
                })()''')
                self.assertGreater(len(got), 5)
                self.assertEqual(got, state)

    def test_a_chart_shows_the_depth_of_a_queue_over_the_same_time_as_the_lanes(self):
        for dark in (False, True):
            with self.subTest(dark=dark):
                run = self.open('600', '8', dark=dark)
                self.assertFalse(run('document.getElementById("queues").hidden'))
                self.assertEqual(run('document.querySelector("#queue_table td").textContent'), 'jobs')
                # How high the chart is filled where each step has its middle, in items; whole, and closer.
                heights = '''(() => {
                  draw();
                  const queue = model.queues[0], ratio = devicePixelRatio || 1, found = [];
                  queue.points.forEach(([from, items], i) => {
                    const to = i + 1 < queue.points.length ? queue.points[i + 1][0] : queue.end, t = (from + to) / 2;
                    if (t <= view.from || t >= view.to) return;
                    const x = GUTTER + (t - view.from) / (view.to - view.from) * (depths.clientWidth - GUTTER);
                    const column = d.getImageData(Math.round(x * ratio), 0, 1, Math.round((CHART - 7) * ratio)).data;
                    let filled = 0;
                    for (let k = 3; k < column.length; k += 4) filled += column[k] > 60 && column[k] < 250;
                    found.push([items, filled / ratio / (CHART - 16) * queue.limit]);
                  });
                  return found;
                })()'''
                whole = run(heights)
                self.assertEqual([items for items, _ in whole], [0, 1, 2, 3, 4, 3, 2, 1])
                run('look(model.end * 0.3, model.end * 0.7)')
                closer = run(heights)
                self.assertEqual([items for items, _ in closer], [2, 3, 4, 3])
                for items, height in whole + closer:
                    self.assertAlmostEqual(height, items, delta=0.35)
                self.assertEqual(run('items_at(model.queues[0], model.end * 0.55)'), 4)
                # The pointer over the chart is over the same moment of the lanes.
                at = run('(() => { const box = depths.getBoundingClientRect(); return [box.left + 700, box.top + 20]; })()')
                self.browser.call('Input.dispatchMouseEvent', type='mouseMoved', x=at[0], y=at[1])
                moment = run('hover.t')
                self.assertAlmostEqual(moment, run(f'pick({{clientX: {at[0]}, clientY: canvas.getBoundingClientRect().top + 100}}).t'), 0)

    def test_states_can_be_told_apart_with_any_colour_vision(self):
        for dark in (False, True):
            run = self.open('600', '4', dark=dark)
            colours = run('numbers.map((n) => [n & 255, n >> 8 & 255, n >> 16 & 255])')
            names = run('STATES')
            for lacking, matrix in LACKING.items():
                seen = [lab(colour, matrix) for colour in colours]
                for i, one in enumerate(seen):
                    for j in range(i):
                        if {'runnable', 'running'} == {names[i], names[j]}:
                            continue  # they are never on one page
                        with self.subTest(dark=dark, lacking=lacking, pair=(names[i], names[j])):
                            self.assertGreater(sum((a - b) ** 2 for a, b in zip(one, seen[j])) ** 0.5, 14)


if __name__ == '__main__':
    command.main()
