#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""How many schedules thrum check makes in a second of one core, in place and in forks, and what its
race detector costs a program that computes.

check_rates.py FILE.json: all by processor time, of the command and all of its children, in turn. THRUM
names the command, ROUNDS how often each is measured.
"""

import datetime
import json
import os
import pathlib
import platform
import resource
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
THRUM = os.environ.get('THRUM', str(ROOT / 'build/default/bin/thrum'))
ROUNDS = int(os.environ.get('ROUNDS', '9'))
GOALS = {'whole': 150_000, 'gtest': 60_000, 'closure': 300_000}
IN_PLACE, IN_FORKS = 100_000, 1_000
BARE_BYTES = (4_096, 80_000, 400_000)
COUNT = object()  # stands for how often, in a command


def build(folder, name, *more, compiler=(THRUM, 'c++')):
    program = folder / '_'.join([name, pathlib.Path(compiler[0]).name])
    subprocess.run([*compiler, '-std=c++20', '-O2', '-I', ROOT / 'include', HERE / f'check/{name}.cpp',
                    *more, '-o', program, '-pthread'], check=True)
    return program


def cpu_seconds(words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    made = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime), made.stdout


def rate(program, schedules, *options):
    seconds, output = cpu_seconds([THRUM, 'check', '--jobs', 1, '--time', '600s', '--schedules',
                                   schedules, *options,
                                   '--', program])
    assert f'nothing found in {schedules:,} schedules' in output, output
    assert options or 'fork' not in output, output
    return schedules / seconds


def ten(words):
    """The seconds that one takes of ten, beside what is the same for all."""
    few, many = (cpu_seconds([n if word is COUNT else word for word in words])[0] for n in (2, 12))
    return (many - few) / 10


def ratio(one):
    return {how: statistics.median(value / plain for value, plain in zip(values, one['plain']))
            for how, values in one.items() if how != 'plain'}


def spread(values):
    return {'median': statistics.median(values), 'rounds': values}


def main():
    [path] = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        programs = {'whole': build(folder, 'whole'),
                    'gtest': build(folder, 'gtest', '-lgtest_main', '-lgtest'),
                    'closure': build(folder, 'closure')}
        loops = [build(folder, 'loop', compiler=('g++',)), build(folder, 'loop')]
        bare = [build(folder, 'bare', compiler=('g++',)), build(folder, 'bare')]
        rates = {kind: {'in place': [], 'in forks': []} for kind in programs}
        loop = {'plain': [], 'instrumented, not checked': [], 'checked': []}
        bares = {size: {'plain': [], 'checked': []} for size in BARE_BYTES}
        for _ in range(ROUNDS):
            for kind, program in programs.items():
                rates[kind]['in place'].append(rate(program, IN_PLACE))
                rates[kind]['in forks'].append(rate(program, IN_FORKS, '--fork'))
            # What is the same for all executions is taken away: twelve of them, less two.
            loop['plain'].append(sum(cpu_seconds([loops[0]])[0] for _ in range(10)) / 10)
            loop['instrumented, not checked'].append(cpu_seconds([loops[1]])[0])
            loop['checked'].append(ten([THRUM, 'check', '--jobs', 1, '--schedules', COUNT, '--', loops[1]]))
            for size, one in bares.items():
                one['plain'].append(ten([bare[0], size, COUNT]))
                one['checked'].append(ten([THRUM, 'check', '--jobs', 1, '--schedules', COUNT, '--',
                                           bare[1], size]))
    result = {
        'schema': 'thrum-check-rates/1',
        'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
        'machine': {'cpu': next((line.split(': ')[1].strip() for line in open('/proc/cpuinfo')
                                 if line.startswith('model name')), ''),
                    'cores': os.cpu_count(), 'kernel': platform.release(),
                    'load': os.getloadavg()[0]},
        'schedules_per_cpu_second': {kind: {how: spread(values) for how, values in one.items()} |
                                     {'goal': GOALS[kind]} for kind, one in rates.items()},
        'loop_cpu_s': {how: spread(values) for how, values in loop.items()},
        'loop_ratio_to_plain': ratio(loop),
        'bare_cpu_s': {size: {how: spread(values) for how, values in one.items()}
                       for size, one in bares.items()},
        'bare_ratio_to_plain': {size: ratio(one)['checked'] for size, one in bares.items()},
    }
    pathlib.Path(path).write_text(json.dumps(result, indent=1) + '\n')
    for kind, one in rates.items():
        print(f'{kind}: in place {statistics.median(one["in place"]):,.0f}/s, in forks '
              f'{statistics.median(one["in forks"]):,.0f}/s, goal {GOALS[kind]:,}')
    for kind in ('loop', 'bare'):
        ratios = result[f'{kind}_ratio_to_plain'].items()
        print(f'{kind}:', {how: round(value, 2) for how, value in ratios})


if __name__ == '__main__':
    main()
