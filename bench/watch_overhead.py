#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""What thrum watch costs the program that it watches.

watch_overhead.py FILE.json: runs each program alone and watched, in turn, on a machine that does
nothing else. THRUM and TARGETS say where the command and the programs of tests/watch are.

The goals: what watching adds to a program's processor time is at most a fixed start and a part of
that time; the start is measured by itself, on programs that do nothing.
"""

import datetime
import json
import os
import pathlib
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[1]
THRUM = os.environ.get('THRUM', str(ROOT / 'build/release/bin/thrum'))
TARGETS = pathlib.Path(os.environ.get('TARGETS', ROOT / 'build/release/tests/watch/targets'))
ROUNDS = int(os.environ.get('ROUNDS', '45'))
START_MS, PART = 20, 0.03
PAIR_NS = {'watched': 4, 'watched --all': 9}
# The system's own: another one may be built with debug information, which takes time to read.
PYTHON = '/usr/bin/python3' if os.path.exists('/usr/bin/python3') else sys.executable
QUEUE = '''
import queue, threading
jobs = queue.Queue(64)
def work():
    while (n := jobs.get()) is not None: sum(range(n))
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for n in range(480_000): jobs.put(n % 300)
for _ in threads: jobs.put(None)
for t in threads: t.join()
'''


def watched(words, *options):
    return [THRUM, 'watch', '-q', *options, '-o', 'x.thrum', '--', *words]


def cpu_seconds(words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def pairs(words):
    return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[0])


def spread(values):
    return {'median': statistics.median(values), 'least': min(values), 'rounds': values}


def interleaved(measure, contenders):
    results = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, words in contenders.items():
            results[name].append(measure(words))
    return {name: spread(values) for name, values in results.items()}


def machine():
    return {'cpu': next((line.split(': ')[1].strip() for line in open('/proc/cpuinfo')
                         if line.startswith('model name')), ''),
            'cores': os.cpu_count(), 'kernel': platform.release(), 'load': os.getloadavg()[0]}


def programs():
    """Name and words of each that is there, of some tenths of a second and more. Makes their data
    in this folder."""
    pathlib.Path('data').write_bytes(b''.join(b'%d more or less the same\n' % (n * n % 65521)
                                              for n in range(1_500_000)))
    for name, words in (('nothing: true', ['true']),
                        ('nothing: python', [PYTHON, '-c', 'pass']),
                        ('pigz -9 -p2', ['pigz', '-9', '-p2', '-c', 'data']),
                        ('xz -1 -T2', ['xz', '-T2', '-1', '-c', 'data']),
                        ('python, a queue and 4 threads', [PYTHON, '-c', QUEUE])):
        if shutil.which(words[0]):
            yield name, words


def judge(alone, watched):
    """What was added, by the medians and by the least of each, against the goal."""
    goal = START_MS + PART * 1000 * alone['median']
    added = 1000 * (watched['median'] - alone['median'])
    return {'added_ms': added, 'added_ms_of_the_least': 1000 * (watched['least'] - alone['least']),
            'goal_ms': goal, 'met': added <= goal}


def main():
    [path] = sys.argv[1:]
    path = os.path.abspath(path)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        program = [TARGETS / 'pairs']
        result = {
            'schema': 'thrum-watch-overhead/2',
            'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
            'machine': machine(),
            'pair_ns': interleaved(pairs, {'alone': program, 'watched': watched(program),
                                           'watched --all': watched(program, '--all')}),
            'cpu_s': {},
        }
        for name, words in programs():
            group = interleaved(cpu_seconds, {'alone': words, 'watched': watched(words)})
            result['cpu_s'][name] = group | judge(group['alone'], group['watched'])
        os.chdir('/')
    result['machine']['load_at_the_end'] = os.getloadavg()[0]
    pathlib.Path(path).write_text(json.dumps(result, indent=1) + '\n')
    pair = result['pair_ns']
    for name, most in PAIR_NS.items():
        added = pair[name]['median'] - pair['alone']['median']
        print(f'a lock and unlock, {name}: +{added:.2f} ns, goal {most}:',
              'met' if added <= most else 'not met')
    for name, group in result['cpu_s'].items():
        print(f'{name}: {1000 * group["alone"]["median"]:.0f} ms, watched '
              f'+{group["added_ms"]:.1f} ms (of the least +{group["added_ms_of_the_least"]:.1f}), '
              f'goal {group["goal_ms"]:.1f}:', 'met' if group['met'] else 'not met')


if __name__ == '__main__':
    main()
