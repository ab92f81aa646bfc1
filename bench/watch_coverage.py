#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""How much thrum watch knows of programs that nobody wrote for it.

watch_coverage.py FILE.json: the part of the blocked time that has a named object, the context switches
seen beside those that the kernel counted, and how soon a deadlock is told. As watch_overhead.py.
"""

import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import watch_overhead as overhead


def report_of(words, *options):
    subprocess.run(overhead.watched(words, *options), stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=False)
    run = subprocess.run([overhead.THRUM, 'report', '--json', 'x.thrum'], capture_output=True,
                         text=True, check=False)
    return json.loads(run.stdout)


def coverage(words):
    report = report_of(words)
    seen, end = report['switch_records'], report['end']
    counted = end['voluntary'] + end['involuntary']
    return {'named_part': report['named_ns'] / max(1, report['blocked_ns']),
            'blocked_s': report['blocked_ns'] / 1e9,
            'switches': {'seen': sum(seen.values()), 'counted': counted,
                         'off_part': (sum(seen.values()) - counted) / counted},
            'events_lost': end['events_lost'], 'rested_part': end['rested_ns'] / report['duration_ns'],
            'level': report['level'][0]}


def deadlock_ms():
    report = report_of([overhead.TARGETS / 'deadlock'], '--kill-on-deadlock')
    alarm = report['deadlocks'][0]
    return (alarm['ns'] - alarm['formed_ns']) / 1e6


def main():
    [path] = sys.argv[1:]
    path = pathlib.Path(path).absolute()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        result = {
            'schema': 'thrum-watch-coverage/1',
            'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
            'machine': overhead.machine(),
            'programs': {name: [coverage(words) for _ in range(overhead.ROUNDS)]
                         for name, words in overhead.programs()},
            'deadlock_told_after_ms': overhead.spread([deadlock_ms() for _ in range(overhead.ROUNDS)]),
        }
    path.write_text(json.dumps(result, indent=1) + '\n')
    for name, rounds in result['programs'].items():
        print(f"{name}: named {min(one['named_part'] for one in rounds):.4f} to "
              f"{max(one['named_part'] for one in rounds):.4f}, switches off by "
              f"{max(abs(one['switches']['off_part']) for one in rounds):.5f} at most")
    told = result['deadlock_told_after_ms']
    print(f"deadlock told after {told['median']:.1f} ms, {max(told['rounds']):.1f} at most")


if __name__ == '__main__':
    main()
