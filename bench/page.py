#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Measures the page of thrum report --html in a headless Chromium without GPU.

  page.py [--slices N] [--threads N] [--rounds N] [--build FOLDER] [-o FILE.json]

It makes a recording of a program that never was, and its page. Each round is a fresh browser: when the
first text was painted, when the lanes were, and how long a redraw takes, over zooms from the whole
time to a ten-thousandth of it, pans of half of it, and moves of the pointer. A redraw is the script
and the filling of the canvas, which is forced by reading a pixel.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / 'tests/watch'))
import browser  # noqa: E402

REDRAWS = '''(() => {
  const times = {zoom: [], pan: [], point: []};
  const once = (into) => {
    const before = performance.now();
    draw();
    g.getImageData(0, 0, 1, 1);
    into.push(performance.now() - before);
  };
  const all = whole.to - whole.from;
  for (let i = 0; i < 60; ++i) {
    const span = all * 10 ** (-4 * i / 59), from = whole.from + 0.37 * (all - span);
    look(from, from + span);
    once(times.zoom);
  }
  for (let i = 0; i < 60; ++i) {
    look(whole.from + all * i / 120, whole.from + all * (0.5 + i / 120));
    once(times.pan);
  }
  look(whole.from, whole.to);
  for (let i = 0; i < 60; ++i) {
    hover = pick({clientX: 300 + 15 * i, clientY: canvas.getBoundingClientRect().top + 70 + 8 * i});
    once(times.point);
  }
  return times;
})()'''
PAINTS = '''({
  first_text_ms: performance.getEntriesByName('first-contentful-paint')[0].startTime,
  lanes_ms: performance.getEntriesByName('drawn')[0].startTime,
})'''


def spread(values):
    values = sorted(values)
    at = lambda q: round(values[min(len(values) - 1, int(q * len(values)))], 2)
    return {'median': round(statistics.median(values), 2), 'p10': at(0.1), 'p90': at(0.9),
            'max': round(values[-1], 2)}


def machine():
    cpu = next(line.split(':')[1].strip() for line in pathlib.Path('/proc/cpuinfo').read_text().splitlines()
               if line.startswith('model name'))
    version = subprocess.run([browser.PROGRAM, '--version'], capture_output=True, text=True, check=True)
    commit = subprocess.run(['git', 'describe', '--always', '--dirty', '--abbrev=12'], cwd=ROOT,
                            capture_output=True, text=True, check=False).stdout.strip()
    return {'cpu': cpu, 'cores': os.cpu_count(), 'kernel': f'{platform.system()} {platform.release()}',
            'browser': version.stdout.split('built')[0].strip() + ', --headless=new --disable-gpu',
            'window': '1600x900', 'commit': commit, 'load': round(os.getloadavg()[0], 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--slices', type=int, default=1_050_000)
    parser.add_argument('--threads', type=int, default=32)
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--build', default=str(ROOT / 'build/default'))
    parser.add_argument('-o', '--output')
    options = parser.parse_args()
    paints, redraws = [], []
    with tempfile.TemporaryDirectory() as folder:
        recording = os.path.join(folder, 'big.thrum')
        subprocess.run([f'{options.build}/tests/watch/synthetic', recording, str(options.slices),
                        str(options.threads)], check=True)
        subprocess.run([f'{options.build}/bin/thrum', 'report', recording, '--html'], check=True,
                       stdout=subprocess.DEVNULL)
        page = os.path.join(folder, 'big.html')
        size = os.path.getsize(page)
        slices = 0
        for _ in range(options.rounds):
            with browser.Browser() as chromium:
                chromium.open(page)
                slices = chromium.run('model.lanes.reduce((n, lane) => n + lane.n, 0)')
                paints.append(chromium.run(PAINTS))
                redraws.append(chromium.run(REDRAWS))
                if chromium.complaints():
                    sys.exit(f'the page complains: {chromium.complaints()}')
    every = [time for one in redraws for times in one.values() for time in times]
    result = {
        'schema': 'thrum-page/1',
        'date': datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ'),
        'machine': machine(), 'slices': slices, 'threads': options.threads, 'rounds': options.rounds,
        'bytes': size,
        'first_text_ms': spread([paint['first_text_ms'] for paint in paints]),
        'lanes_ms': spread([paint['lanes_ms'] for paint in paints]),
        'redraw_ms': {'all': spread(every),
                      **{kind: spread([time for one in redraws for time in one[kind]])
                         for kind in ('zoom', 'pan', 'point')}},
    }
    text = json.dumps(result, indent=1) + '\n'
    print(text, end='')
    if options.output:
        pathlib.Path(options.output).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(options.output).write_text(text)


if __name__ == '__main__':
    main()
