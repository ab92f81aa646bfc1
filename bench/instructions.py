#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Counts the instructions of an operation by callgrind: a figure without noise.

instructions.py: of each contender in C++ of the cases where one thread is alone, that are in the newest
folder of bench/results. Writes instructions/alone.json there. Needs valgrind and the release build of
thrum_bench (BENCH names another).
"""

import datetime
import json
import os
import re
import subprocess
import sys

from goals import ROOT, Results, newest_folder

BENCH = os.environ.get('BENCH', str(ROOT / 'build/release/bin/thrum_bench'))
CASES = ('lock/uncontended', 'lock/timed', 'rlock/uncontended', 'semaphore/uncontended',
         'event/uncontended', 'condition/notify', 'queue/uncontended/*', 'queue/task_done',
         'lifo_queue/uncontended', 'priority_queue/uncontended', 'timer/start-cancel/pending=0')
ELSEWHERE = ('Rust ', 'Go ')  # processes of their own
FEW, MANY = 2_000, 12_000


def counted(case, contender, operations):
    run = subprocess.run(
        ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', BENCH, case, '--one', contender,
         '--operations', str(operations)], capture_output=True, text=True, check=False)
    collected = re.search(r'Collected : (\d+)', run.stderr)
    if run.returncode != 0 or not collected:
        sys.exit(f'instructions: {case}, {contender}: {run.stderr.strip()[-500:]}')
    return int(collected[1])


def per_operation(case, contender):
    few, many = (counted(case, contender, n) for n in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def main():
    folder = newest_folder()
    results = Results(folder)
    cases = []
    for case in results.names(*CASES):
        contenders = [{'name': name, 'instructions': round(per_operation(case, name), 1)}
                      for name in results.cases[case] if not name.startswith(ELSEWHERE)]
        cases.append({'name': case, 'operation': results.operation[case], 'contenders': contenders})
        for one in sorted(contenders, key=lambda one: one['instructions']):
            print(f"{case:36} {one['name']:44} {one['instructions']:10.1f}", flush=True)
    machine = next(iter(results.machines.values()))['machine']
    document = {'schema': 'thrum-bench-instructions/1',
                'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
                'machine': {key: machine[key] for key in ('line', 'cpu', 'compiler', 'commit')},
                'cases': cases}
    file = folder / 'instructions/alone.json'
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(document, indent=1) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
