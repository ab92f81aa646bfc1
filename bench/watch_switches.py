#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""How well the rungs of thrum watch see context switches, and what each switch costs. As root.

  watch_switches.py FILE.json

Agreement: one run each of some programs, recorded by BPF and by the switch records of a user at the same
time. BPF says who came next; the records of a user have it guessed by the time until the next record of the
same process. What the ring of a user lost counts as wrong. Cost: processor time of the program (getrusage) for each switch that it made, alone and with
either, in turn.

BUILD is the folder of the build, ROUNDS how many.
"""

import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[1]
BUILD = pathlib.Path(os.environ.get('BUILD', ROOT / 'build/default'))
ROUNDS = os.environ.get('ROUNDS', '31')
TARGETS = BUILD / 'tests/watch/targets'
PYTHON = '''
import queue, threading
jobs = queue.Queue(64)
def work():
    while (n := jobs.get()) is not None: sum(range(n))
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for n in range(20000): jobs.put(n % 300)
for _ in threads: jobs.put(None)
for t in threads: t.join()
'''
COMMANDS = {'handoffs': [TARGETS / 'handoffs', '20000'],
            'contended': [TARGETS / 'contended', '1000'],
            'python': ['python3', '-c', PYTHON],
            'pigz': ['pigz', '-p', '4', '-c', 'DATA'],
            'xz': ['xz', '-T2', '-1', '-c', '--block-size=1MiB', 'DATA']}


def measure(*words):
    run = subprocess.run([BUILD / 'bin/watch_switches', *words], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, check=False)
    if run.returncode != 0:
        sys.exit(run.stderr)
    return json.loads(run.stdout)


def machine():
    model = next((line.split(':')[1].strip() for line in open('/proc/cpuinfo', encoding='ascii')
                  if line.startswith('model name')), platform.machine())
    commit = subprocess.run(['git', '-C', ROOT, 'describe', '--always', '--dirty'],
                            capture_output=True, text=True, check=True).stdout.strip()
    return {'cpu': model, 'cores': os.cpu_count(),
            'kernel': f'{platform.system()} {platform.release()}', 'commit': commit,
            'load': os.getloadavg()[0]}


def main():
    [file] = sys.argv[1:]
    result = {'schema': 'thrum-watch-switches/1',
              'date': datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ'),
              'machine': machine(), 'method': ' '.join(__doc__.split('\n\n')[2].split()),
              'agreement': {}}
    data = pathlib.Path(tempfile.mkdtemp()) / 'data'
    data.write_text(' '.join(str(i * i) for i in range(1_500_000)), encoding='ascii')
    for name, command in COMMANDS.items():
        if shutil.which(str(command[0])) is None:
            continue
        one = measure('agree', *(str(data) if word == 'DATA' else str(word) for word in command))
        del one['command']
        result['agreement'][name] = one
        print(f"{name}: {one['classified_right']:.4%} right, "
              f"{one['invented_thread_switches']} invented", file=sys.stderr)
    shutil.rmtree(data.parent)
    times = measure('cost', ROUNDS, *map(str, COMMANDS['handoffs']))['cpu_ns_per_switch']
    result['cpu_ns_per_switch'] = {
        name: {'median': round(statistics.median(rounds)), 'least': round(min(rounds)),
               'rounds': [round(one) for one in rounds]} for name, rounds in times.items()}
    print({name: (one['median'], one['least'])
           for name, one in result['cpu_ns_per_switch'].items()}, file=sys.stderr)
    pathlib.Path(file).write_text(json.dumps(result, indent=1) + '\n', encoding='ascii')


if __name__ == '__main__':
    main()
