#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Measures what decided: variants of the library beside the library as it is, in turn.

  compare.py DECISION... [--rounds N] [--seconds S] [--json FOLDER]    those of bench/decisions.py
  compare.py --against COMMIT CASE[=CONTENDER]... [--rounds N] ...     this tree beside another

Each variant is a program of its own, built at the same place from the same tree but for some
edits. Each round runs every one of them once, in rotating order; ratios are of pairs in a round.
A decision's figures go to FOLDER/MACHINE/decisions/DECISION.json, bench/results if not given.
"""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from decisions import DECISIONS
from spreads import spread_of

ROOT = pathlib.Path(__file__).resolve().parent.parent
AS_IT_IS = 'chosen'
# Peers are measured by ci/bench.sh; here they would only take time to build.
WITHOUT_PEERS = [f'-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON' for name in ('absl', 'TBB', 'Boost')] + [
    '-DNSYNC_INCLUDE=', '-DNSYNC_LIBRARY=', '-DMOODYCAMEL_INCLUDE=']


def run(words, **how):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False,
                          **how)
    if done.returncode != 0:
        sys.exit(f'compare: {words[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}')
    return done.stdout


class Tree:
    """A copy of the sources that is built again and again."""

    def __init__(self, folder, commit=None):
        self.sources, self.build = folder / 'tree', folder / 'build'
        self.sources.mkdir(exist_ok=True)
        if commit is None:
            names = run(['git', 'ls-files', '-co', '--exclude-standard'], cwd=ROOT).splitlines()
            for name in names:
                if (ROOT / name).is_file():
                    to = self.sources / name
                    to.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(ROOT / name, to)
        else:
            archive = folder / 'tree.tar'
            run(['git', 'archive', '--output', archive, commit], cwd=ROOT)
            run(['tar', '-xf', archive, '-C', self.sources])

    def make(self, edits, program):
        """Builds with some edits, (file, old text, new text) each, then takes them back."""
        before = {}
        for name, old, new in edits:
            file = self.sources / name
            text = file.read_text(encoding='utf-8')
            before.setdefault(file, text)
            if text.count(old) != 1:
                sys.exit(f'compare: {name} has not once: {old}')
            file.write_text(text.replace(old, new), encoding='utf-8')
        # The commit is that of the tree that was copied.
        git = {'GIT_DIR': run(['git', 'rev-parse', '--absolute-git-dir'], cwd=ROOT).strip(),
               'GIT_WORK_TREE': str(ROOT)}
        run(['cmake', '-S', self.sources, '-B', self.build, '-G', 'Ninja',
             '-DCMAKE_BUILD_TYPE=Release', '-DTHRUM_BUILD_TOOLS=OFF', '-DTHRUM_BUILD_TESTS=OFF',
             '-DBUILD_SHARED_LIBS=OFF', *WITHOUT_PEERS], env=os.environ | git)
        run(['cmake', '--build', self.build, '--target', 'thrum_bench'], env=os.environ | git)
        shutil.copy(self.build / 'bin/thrum_bench', program)
        for file, text in before.items():
            file.write_text(text, encoding='utf-8')


REAL_TIME = ['chrt', '--rr', '1']
before_program = []


def one(program, case, contender, operations, seconds):
    """Operations, wall ns, cpu ns, sleeps; what else it tells."""
    words = run([*before_program, program, case, '--one', contender, '--operations', operations,
                 '--seconds', seconds]).strip().split(';')
    numbers = [float(word) for word in words[0].split()]
    also = {name: float(value) for name, value in (word.split('=') for word in words[1:])}
    return numbers, also


def measure(programs, case, contender, rounds, seconds):
    operations = int(one(programs[AS_IT_IS], case, contender, 0, seconds / rounds)[0][0])
    names = list(programs)
    told = {name: {'wall_ns': [], 'cpu_ns': [], 'voluntary_switches': []} for name in names}
    also = {name: {} for name in names}
    for turn in range(rounds):
        for i in range(len(names)):
            name = names[(turn + i) % len(names)]
            (_, *figures), more = one(programs[name], case, contender, operations, 1)
            for rows, value in zip(told[name].values(), figures):
                rows.append(value)
            for what, value in more.items():
                also[name].setdefault(what, []).append(value)
    contenders = []
    for name in names:
        ratio = [a / b for a, b in zip(told[name]['wall_ns'], told[AS_IT_IS]['wall_ns'])]
        contenders.append(
            {'name': name, 'operations_per_round': operations,
             f'ratio_to_{AS_IT_IS}': spread_of(ratio)}
            | {figure: spread_of(rows) | {'rounds': rows} for figure, rows in told[name].items()}
            | {'also': {what: spread_of(rows) | {'rounds': rows} for what, rows in also[name].items()}})
    return {'name': case, 'operation': contender, 'contenders': contenders}


def show(case):
    print(f"{case['name']}  {case['operation']}")
    for row in case['contenders']:
        ratio = row[f'ratio_to_{AS_IT_IS}']
        print(f"  {row['name']:36} {row['wall_ns']['median']:12.2f} ns  x {ratio['median']:.2f} "
              f"({ratio['p10']:.2f} – {ratio['p90']:.2f})  sleeps "
              f"{row['voluntary_switches']['median']:.3f}")
        for what, rows in row['also'].items():
            print(f"    {what:34} {rows['median']:12.2f}")
    sys.stdout.flush()


def machine_of(program):
    """What thrum_bench says about the machine, and the folder that it names by it."""
    with tempfile.TemporaryDirectory() as name:
        run([program, 'rlock/uncontended', '--rounds', 1, '--seconds', 0.001, '--json', name])
        [folder] = pathlib.Path(name).iterdir()
        document = json.loads((folder / 'rlock.json').read_text(encoding='utf-8'))
    return folder.name, document['machine']


def save(options, decision, machine, cases):
    name, about = machine
    folder = options.json / name / 'decisions'
    folder.mkdir(parents=True, exist_ok=True)
    head = {'schema': 'thrum-bench/2',
            'date': datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ'),
            'machine': about | {'scheduling': ' '.join(before_program) or 'as any program'},
            'rounds': options.rounds, 'seconds': options.seconds}
    text = json.dumps(head, indent=1)[:-2] + ',\n "cases": [\n  ' + ',\n  '.join(
        json.dumps(case, ensure_ascii=False) for case in cases) + ']}\n'
    file = folder / f'{decision}.json'
    file.write_text(text, encoding='utf-8')
    print(f'written to {file}')


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    arguments.add_argument('what', nargs='+', help='decisions, or cases with --against')
    arguments.add_argument('--against', help='a commit')
    arguments.add_argument('--rounds', type=int, default=11)
    arguments.add_argument('--seconds', type=float, default=0.5,
                           help='how long each runs for a case, all rounds together')
    arguments.add_argument('--real-time', action='store_true',
                           help='before all others, for a busy machine: round robin, needs root')
    arguments.add_argument('--json', type=pathlib.Path, default=ROOT / 'bench/results')
    options = arguments.parse_args()
    before_program.extend(REAL_TIME if options.real_time else [])
    unknown = [] if options.against else [name for name in options.what if name not in DECISIONS]
    if unknown:
        sys.exit(f'compare: no such decision: {", ".join(unknown)}; there are {", ".join(DECISIONS)}')

    with tempfile.TemporaryDirectory(prefix='thrum-compare-') as name:
        folder = pathlib.Path(name)
        here = Tree(folder)
        base = folder / 'as_it_is'
        here.make([], base)
        if options.against:
            (folder / 'other').mkdir()
            other = folder / 'before'
            Tree(folder / 'other', options.against).make([], other)
            for case in options.what:
                case, _, contender = case.partition('=')
                show(measure({AS_IT_IS: base, options.against: other}, case,
                             contender or 'thrum::' + case.split('/')[0].capitalize(),
                             options.rounds, options.seconds))
            return
        machine = machine_of(base)
        for decision in options.what:
            cases, variants = DECISIONS[decision]
            programs = {AS_IT_IS: base}
            for number, (variant, edits) in enumerate(variants.items()):
                programs[variant] = folder / f'{decision}-{number}'
                here.make(edits, programs[variant])
            results = []
            for case, contender in cases:
                results.append(measure(programs, case, contender, options.rounds, options.seconds))
                show(results[-1])
            save(options, decision, machine, results)


if __name__ == '__main__':
    main()
