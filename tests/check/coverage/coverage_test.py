#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Is each part of C++ and pthread under thrum check's control? The wrong form of each case is found,
and nothing in the right one.

  coverage_test.py FOLDER [--all | --compiler CXX --level -ON] [NAME...]
      FOLDER keeps what is compiled; --all: with g++ and each clang++ that is there, -O0 and -O2;
      NAME: only these cases (mutex) or programs (locks)
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
THRUM = os.environ.get('THRUM', str(ROOT / 'build/default/bin/thrum'))
RIGHT, WRONG = '400', '20000'
# What libstdc++ 12 does is a race, or looks like one. atomic<shared_ptr>: load() gives its lock back
# without a release, so that the next store() races with it. At a thread's end the future is made
# ready inside of libstdc++.so, whose atomics are not seen.
OPTIONS = {'atomic_shared_ptr': ['--no-races'], 'value_at_thread_exit': ['--no-races']}
COMPILERS = ('g++', 'clang++-14', 'clang++-19')
VERDICT = re.compile(r'  (assertion failed|abort|uncaught exception|crash|exit status|deadlock|'
                     r'lost wake-up|livelock|data race|use after free|leak|hang)\b', re.MULTILINE)


def run(*command, **environment):
    return subprocess.run(list(map(str, command)), text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, check=False,
                          env={**os.environ, 'NO_COLOR': '1', **environment})


def compiled(source, compiler, level, folder):
    """The program, and its cases by name with what is found in the wrong form."""
    program = folder / f'{source.stem}_{compiler}{level}'
    if not program.exists() or program.stat().st_mtime < max(
            path.stat().st_mtime for path in (source, HERE / 'coverage.h')):
        language = ('cc', '-std=gnu11') if source.suffix == '.c' else ('c++', '-std=c++20')
        wide = ('-latomic',) if source.stem == 'atomics' else ()
        made = run(THRUM, *language, level, '-Wall', '-Wextra', '-Werror', source, '-o', program, *wide,
                   CXX=compiler, CC=compiler.replace('clang++', 'clang').replace('g++', 'gcc'))
        if made.returncode != 0:
            sys.exit(f'{source.name}, {compiler} {level}: {made.stderr}')
    listed = run(program, 'list')
    return program, dict(line.split(': ') for line in listed.stdout.splitlines())


def judge(program, case, finds):
    """What is not as it should be; None if all is."""
    check = [THRUM, 'check', '-j', 1, *OPTIONS.get(case, []), '--schedules']
    right = run(*check, RIGHT, '--', program, case, 'right')
    if right.returncode != 0 or 'nothing found in ' not in right.stdout:
        return f'{program.name} {case} right:\n{right.stdout}{right.stderr}'
    # Left over by a fallback that has no cause in the case.
    if 'in a fork of its own' in right.stdout:
        return f'{program.name} {case} right: {right.stdout}'
    wrong = run(*check, WRONG, '--', program, case, 'wrong')
    found = VERDICT.search(wrong.stdout)
    if found is None or found[1] not in finds.split(' or ') or 'thrum replay' not in wrong.stdout:
        return f'{program.name} {case} wrong, not {finds}:\n{wrong.stdout[:3000]}{wrong.stderr}'
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('folder', type=pathlib.Path)
    parser.add_argument('names', nargs='*')
    parser.add_argument('--all', action='store_true')
    parser.add_argument('--compiler', default='g++')
    parser.add_argument('--level', default='-O2')
    options = parser.parse_intermixed_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    ways = [(options.compiler, options.level)]
    if options.all:
        ways = [(compiler, level) for compiler in COMPILERS if shutil.which(compiler)
                for level in ('-O0', '-O2')]
    sources = sorted(path for path in HERE.iterdir() if path.suffix in ('.c', '.cpp'))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        programs = list(pool.map(lambda job: compiled(job[0], *job[1], options.folder),
                                 [(source, way) for way in ways for source in sources]))
        jobs = [(program, case, finds) for program, cases in programs
                for case, finds in cases.items()
                if not options.names or case in options.names or
                program.name.split('_')[0] in options.names]
        wrong = [line for line in pool.map(lambda job: judge(*job), jobs) if line]
    print('\n'.join(wrong + [f'{len(jobs) - len(wrong)} of {len(jobs)} under control']))
    return 1 if wrong or not jobs else 0


if __name__ == '__main__':
    sys.exit(main())
