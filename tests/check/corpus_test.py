#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Checks the programs of tests/model with thrum check: each bug is found, as what its head says it
is, minimised and replayed; nothing is found in the corrected twins.

  corpus_test.py bug|ok FOLDER [NAME...]    FOLDER keeps what was compiled; NAME: only these

THRUM names the command, as in tests/cli. Prints a line for each program that is not as it should be.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
THRUM = os.environ.get('THRUM', str(ROOT / 'build/default/bin/thrum'))
SCHEDULES = '20000'
REPLAYS = 3
# What a report calls it, and what else the same bug may show as first: which of them depends on
# what the schedule happens to do after the error.
SAME = {
    'assertion': {'assertion failed', 'abort'},
    'crash': {'crash', 'use after free'},
    'exception': {'uncaught exception'},
    'race': {'data race'},
}


def run(*command, **options):
    return subprocess.run(list(map(str, command)), text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, check=False,
                          env={**os.environ, 'NO_COLOR': '1', **options})


def compile_library(folder):
    """Our own library, instrumented."""
    archive = folder / 'libthrum.a'
    sources = [path for layer in ('waist', 'threading') for path in
               sorted((ROOT / 'src' / layer).glob('*.cpp')) if path.name != 'wait_portable.cpp']
    if archive.exists() and archive.stat().st_mtime > max(s.stat().st_mtime for s in sources):
        return archive
    objects = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        def compile_one(source):
            target = folder / f'{source.parent.name}_{source.stem}.o'
            made = run(THRUM, 'c++', '-std=c++20', '-O1', '-I', ROOT / 'include', '-I',
                       ROOT / 'src', '-c', source, '-o', target)
            assert made.returncode == 0, made.stderr
            return target
        objects = list(pool.map(compile_one, sources))
    made = run('ar', 'rcs', archive, *objects)
    assert made.returncode == 0, made.stderr
    return archive


def compile_program(source, folder, library):
    program = folder / source.stem
    if program.exists() and program.stat().st_mtime > max(source.stat().st_mtime,
                                                           library.stat().st_mtime):
        return program
    language = ['cc'] if source.suffix == '.c' else ['c++', '-std=c++20']
    warnings = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Werror']
    made = run(THRUM, *language, *warnings, '-O0', '-I', ROOT / 'include', source, library, '-o', program)
    assert made.returncode == 0, f'{source.name}: {made.stderr}'
    return program


def verdict_of(output):
    for line in output.splitlines():
        found = re.match(r'  (assertion failed|abort|uncaught exception|crash|exit status|deadlock|'
                         r'lost wake-up|livelock|data race|use after free|leak|hang)\b', line)
        if found:
            return found[1]
    return 'nothing'


def check_bug(source, program):
    expected = re.search(r'^// Finds: (.*)$', source.read_text(), re.MULTILINE)[1]
    checked = run(THRUM, 'check', '--jobs', 1, '--schedules', SCHEDULES, '--', program)
    found = verdict_of(checked.stdout)
    if checked.returncode != 1 or found not in SAME.get(expected, {expected}):
        return f'{source.name}: expected {expected}, found {found}\n{checked.stderr}'
    most = int(re.search(r'^// Preemptions: (\d+)$', source.read_text(), re.MULTILINE)[1])
    seen = re.search(r', (\d+) preemptions?$', checked.stdout, re.MULTILINE)
    if seen is None or int(seen[1]) > most:
        return f'{source.name}: {seen and seen[1]} preemptions, not {most}'
    line = re.search(r"thrum replay '([^']*)'", checked.stdout)
    if line is None:
        return f'{source.name}: no replay line\n{checked.stdout}'
    for _ in range(REPLAYS):
        replayed = run(THRUM, 'replay', line[1], '--', program)
        if (replayed.returncode, verdict_of(replayed.stdout)) != (1, found):
            return f'{source.name}: the replay found {verdict_of(replayed.stdout)}, not {found}'
        if 'replayed: the same' not in replayed.stdout:
            return f'{source.name}: {replayed.stdout.splitlines()[-1].strip()}'
    return None


def check_ok(source, program):
    checked = run(THRUM, 'check', '--jobs', 1, '--schedules', '2000', '--', program)
    if checked.returncode == 0 and 'nothing found in ' in checked.stdout:
        return None
    return f'{source.name}: {checked.stdout}{checked.stderr}'


def main():
    kind, folder = sys.argv[1], pathlib.Path(sys.argv[2]) / sys.argv[1]
    folder.mkdir(parents=True, exist_ok=True)
    where = ROOT / 'tests/model' / ('bug' if kind == 'bug' else 'ok')
    sources = sorted(path for path in where.rglob('*.c*') if path.suffix in ('.c', '.cpp'))
    if len(sys.argv) > 3:
        sources = [source for source in sources if source.stem in sys.argv[3:]]
    library = compile_library(folder)
    check = check_bug if kind == 'bug' else check_ok

    def judge(source):
        return check(source, compile_program(source, folder, library))

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = [line for line in pool.map(judge, sources) if line]
    print('\n'.join(wrong + [f'{len(sources) - len(wrong)} of {len(sources)} as they should be']))
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
