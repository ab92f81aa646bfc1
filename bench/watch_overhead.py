#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""What thrum watch costs the program that it watches.

watch_overhead.py FILE.json: runs each program alone and watched, in turn, on a machine that does
nothing else. THRUM and TARGETS say where the command and the programs of tests/watch are.
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
THRUM = os.environ.get('THRUM', str(ROOT / 'build/default/bin/thrum'))
TARGETS = pathlib.Path(os.environ.get('TARGETS', ROOT / 'build/default/tests/watch/targets'))
ROUNDS = int(os.environ.get('ROUNDS', '9'))
PYTHON = '''
import queue, threading
jobs = queue.Queue(64)
def work():
    while (n := jobs.get()) is not None: sum(range(n))
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for n in range(30000): jobs.put(n % 300)
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
    """Name and words of each that is there. Makes their data in this folder."""
    pathlib.Path('data').write_bytes(b''.join(b'%d more or less the same\n' % (n * n % 65521)
                                              for n in range(1_500_000)))
    for name, words in (('pigz -p2', ['pigz', '-p2', '-c', 'data']),
                        ('xz -T2', ['xz', '-T2', '-1', '-c', 'data']),
                        ('python threading', [sys.executable, '-c', PYTHON])):
        if shutil.which(words[0]):
            yield name, words


def main():
    [path] = sys.argv[1:]
    path = os.path.abspath(path)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        program = [TARGETS / 'pairs']
        result = {
            'schema': 'thrum-watch-overhead/1',
            'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
            'machine': machine(),
            'pair_ns': interleaved(pairs, {'alone': program, 'watched': watched(program),
                                           'watched --all': watched(program, '--all')}),
            'cpu_s': {},
        }
        for name, words in programs():
            result['cpu_s'][name] = interleaved(cpu_seconds,
                                                {'alone': words, 'watched': watched(words)})
    pathlib.Path(path).write_text(json.dumps(result, indent=1) + '\n')
    for group in ('pair_ns',):
        print(group, {name: round(one['least'], 2) for name, one in result[group].items()})
    for name, group in result['cpu_s'].items():
        print(name, {who: (round(one['least'], 3), round(one['median'], 3)) for who, one in group.items()})


if __name__ == '__main__':
    main()
