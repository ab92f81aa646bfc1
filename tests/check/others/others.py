#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""thrum check over programs that use libraries of others, as Debian ships them: what is used wrong is
found, and nothing in what is used right.

  others.py [--compiler CXX] [--level -ON] [NAME...]

Installs what is missing if that is possible (ci/setup.sh): it is in each program's head.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'coverage'))
import coverage_test as coverage  # pylint: disable=wrong-import-position

# TBB's allocator asks a file for the size of large pages, which makes each schedule a fork.
coverage.OPTIONS['hash_map'] = ['--fork']


def named(source, what):
    found = re.search(rf'^// {what}: (.*)$', source.read_text(), re.MULTILINE)
    return found[1].split() if found else []


def compiled(source, options, folder):
    links = subprocess.run(['pkg-config', '--libs', *named(source, 'Links')], text=True, check=True,
                           stdout=subprocess.PIPE).stdout.split() if named(source, 'Links') else []
    program = folder / source.stem
    made = coverage.run(coverage.THRUM, 'c++', '-std=c++20', options.level, '-I', HERE.parent / 'coverage',
                        source, '-o', program, *links, '-latomic', CXX=options.compiler)
    if made.returncode != 0:
        sys.exit(f'{source.name}: {made.stderr}')
    listed = coverage.run(program, 'list')
    return program, dict(line.split(': ') for line in listed.stdout.splitlines())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('names', nargs='*')
    parser.add_argument('--compiler', default='g++')
    parser.add_argument('--level', default='-O2')
    options = parser.parse_intermixed_args()
    sources = [source for source in sorted(HERE.glob('*.cpp'))
               if not options.names or source.stem in options.names]
    packages = sorted({package for source in sources for package in named(source, 'Needs')})
    subprocess.run([coverage.ROOT / 'ci/setup.sh', *packages], check=True)
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        programs = list(pool.map(lambda source: compiled(source, options, pathlib.Path(folder)),
                                 sources))
        jobs = [(program, case, finds) for program, cases in programs
                for case, finds in cases.items()]
        wrong = [line for line in pool.map(lambda job: coverage.judge(*job), jobs) if line]
    print('\n'.join(wrong + [f'{len(jobs) - len(wrong)} of {len(jobs)} under control']))
    return 1 if wrong or not jobs else 0


if __name__ == '__main__':
    sys.exit(main())
