#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""thrum check finds a race in each program of yes/, and none in those of no/.

  races_test.py [FOLDER [NAME...]]    FOLDER keeps what was compiled; NAME: only these

THRUM names the command.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
THRUM = os.environ.get('THRUM', str(HERE.parents[2] / 'build/default/bin/thrum'))
OPTIMISATIONS = ['-O0', '-O2']
SCHEDULES = 500
RACE = re.compile(r'^  (data race|use after free)\b', re.MULTILINE)


def run(*command):
    return subprocess.run(list(map(str, command)), text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, check=False,
                          env={**os.environ, 'NO_COLOR': '1'})


def judge(source, optimisation, folder):
    """What is wrong, or None."""
    name = f'{source.parent.name}/{source.name} {optimisation}'
    program = folder / f'{source.parent.name}_{source.stem}{optimisation}'
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        made = run(THRUM, 'c++', '-std=c++20', optimisation, source, '-o', program)
        if made.returncode != 0:
            return f'{name}: {made.stderr}'
    checked = run(THRUM, 'check', '--jobs', 1, '--schedules', SCHEDULES, '--', program)
    raced = RACE.search(checked.stdout) is not None
    expected = (1, True) if source.parent.name == 'yes' else (0, False)
    if (checked.returncode, raced) != expected:
        return f'{name}: exit {checked.returncode}\n{checked.stdout}{checked.stderr}'
    return None


def main():
    names = sys.argv[2:]
    jobs = [(source, optimisation) for source in sorted(HERE.glob('*/*.cpp'))
            for optimisation in OPTIMISATIONS if not names or source.stem in names]
    assert jobs, 'no programs'
    with tempfile.TemporaryDirectory() as own:
        folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else own)
        folder.mkdir(parents=True, exist_ok=True)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            wrong = [line for line in pool.map(lambda job: judge(*job, folder), jobs) if line]
    print('\n'.join([*wrong, f'{len(jobs) - len(wrong)} of {len(jobs)} as they should be']))
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
