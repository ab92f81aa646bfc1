#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Replay lines of an earlier thrum still fit: the same events, and so the same hash.

golden_test.py FOLDER    FOLDER keeps what was compiled; THRUM names the command.
"""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
THRUM = os.environ.get('THRUM', str(HERE.parents[2] / 'build/default/bin/thrum'))
CODE = '0x100000'  # where golden.s is linked to


def build(folder):
    """A library whose code is at fixed addresses, and a program around it, both without a build id."""
    folder.mkdir(parents=True, exist_ok=True)
    compiler = os.environ.get('CC', 'gcc')
    library, program = folder / 'libgolden.so', folder / 'golden'
    subprocess.run([compiler, '-shared', '-nostdlib', '-Wl,--build-id=none', f'-Wl,--section-start=.golden={CODE}',
                    HERE / 'golden.s', '-o', library], check=True)
    subprocess.run([compiler, HERE / 'main.c', library, '-Wl,--build-id=none', '-Wl,-rpath,$ORIGIN',
                    '-Wl,--allow-shlib-undefined', '-o', program, '-pthread'], check=True)
    return program


def replay(program, argument, line):
    run = subprocess.run([THRUM, 'replay', line, '--', program, *([] if argument == '-' else [argument])],
                         text=True, capture_output=True, check=False)
    return run.returncode, run.stdout.strip().splitlines()[-1].strip()


def main():
    program = build(pathlib.Path(sys.argv[1]))
    lines = [line.split() for line in (HERE / 'replays.txt').read_text().splitlines() if not line.startswith('#')]
    wrong = []
    for name, argument, line in lines:
        code, end = replay(program, argument, line)
        if code != 1 or not end.startswith('replayed: the same '):
            wrong.append(f'{name}: exit {code}, {end}')
        # The hash is looked at: with another one it is not the same.
        head, _, hash_, rest = line.split(':', 3)
        code, end = replay(program, argument, f'{head}:-:{int(hash_, 16) ^ 1:016x}:{rest}')
        if not end.startswith('not the same execution'):
            wrong.append(f'{name}, another hash: exit {code}, {end}')
    print('\n'.join(wrong + [f'{len(lines)} lines of an earlier thrum']))
    return 1 if wrong or len(lines) < 2 else 0


if __name__ == '__main__':
    sys.exit(main())
