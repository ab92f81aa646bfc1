# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Results of thrum_bench, and what of them meets its goal: for report.py."""

import fnmatch
import json
import pathlib
import re
import sys

from reasons import WHY
from spreads import spread

ROOT = pathlib.Path(__file__).resolve().parent.parent


def newest_folder():
    """Returns the folder of results that was written last; ends the program if there is none."""
    folders = [folder for folder in (ROOT / 'bench/results').iterdir() if folder.is_dir()]
    if not folders:
        sys.exit('there are no results; ci/bench.sh makes them')
    return max(folders, key=lambda folder: max(f.stat().st_mtime for f in folder.iterdir()))


# ---- results

def kind_of(name):
    for kind in ('thrum', 'std', 'floor', 'spin'):
        if name.startswith(kind):
            return kind
    return 'peer'


NO_LIMIT = '(no limit)'  # never waits where others must: no rival, unless it is named


class Results:
    """All cases of a folder, by name: {contender: figures}."""

    def __init__(self, folder):
        self.folder = folder
        self.cases, self.operation, self.file, self.machines = {}, {}, {}, {}
        for file in sorted(folder.glob('*.json')):
            document = json.loads(file.read_text(encoding='utf-8'))
            self.machines[file.stem] = document
            for case in document['cases']:
                name = case['name']
                self.cases[name] = {one['name']: one for one in case['contenders']}
                self.operation[name] = case['operation']
                self.file[name] = file

    def decision(self, name):
        """The cases of a decision's file, likewise, and the file."""
        file = self.folder / 'decisions' / f'{name}.json'
        if not file.exists():
            return {}, file
        document = json.loads(file.read_text(encoding='utf-8'))
        return {case['name']: {one['name']: one for one in case['contenders']}
                for case in document['cases']}, file

    def names(self, *patterns):
        """The cases that match, in the order of the patterns, then of the results."""
        found = {}
        for pattern in patterns:
            found |= dict.fromkeys(n for n in self.cases if fnmatch.fnmatchcase(n, pattern))
        return list(found)

    def first(self, case, prefix):
        return next((n for n in self.cases.get(case, {}) if n.startswith(prefix)), None)

    def best(self, case, rival='', without=(NO_LIMIT,), kinds=('std', 'peer')):
        """The fastest of those that block and are not ours; only some, without some."""
        rivals = [one for name, one in self.cases[case].items()
                  if kind_of(name) in kinds and rival in name and
                  not any(part in name for part in without)]
        return min(rivals, key=lambda one: one['wall_ns']['median'])['name'] if rivals else None

    def ratio(self, case, ours, theirs):
        """Wall time over wall time in the same round: p10, median, p90."""
        one, other = (self.cases[case][n]['wall_ns']['rounds'] for n in (ours, theirs))
        return spread([a / b for a, b in zip(one, other)])

    def link(self, case):
        return f'[{case}](../{self.file[case].relative_to(ROOT)})'


def figure(value):
    """Three digits and a unit that suits them."""
    for limit, divisor, unit in ((1e3, 1, 'ns'), (1e6, 1e3, 'us'), (1e9, 1e6, 'ms')):
        if value < limit * 0.9995:
            break
    else:
        divisor, unit = 1e9, 's'
    value /= divisor
    return f'{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f} {unit}'


def times(value):
    return f'{value:.2f}' if value < 9.995 else f'{value:.0f}'


# ---- goals: each row says what it measured, and whether that is enough

YES, TIE, NO, MISSING = 'yes', 'level', '**no**', 'not measured'


def verdict(low, median, limit):
    return YES if median <= limit else TIE if low <= limit else NO


class OverContender:
    """Wall time of ours over that of another, at most `limit`."""

    def __init__(self, case, theirs, limit, ours='thrum'):
        self.case, self.theirs, self.limit, self.ours = case, theirs, limit, ours

    def __call__(self, results):
        ours = results.first(self.case, self.ours)
        theirs = results.first(self.case, self.theirs)
        if ours is None or theirs is None:
            return f'{self.case}, {self.theirs}', MISSING
        low, median, high = results.ratio(self.case, ours, theirs)
        value = results.cases[self.case][ours]['wall_ns']['median']
        text = (f'{results.link(self.case)}: {figure(value)}, {times(median)} x '
                f'({times(low)} – {times(high)}) {theirs}')
        return text, verdict(low, median, self.limit)


class OverBest:
    """The same over the best that blocks, in every case of some patterns."""

    def __init__(self, *patterns, limit=1.0, ours='thrum', **which):
        self.patterns, self.limit, self.ours, self.which = patterns, limit, ours, which

    def __call__(self, results):
        rows = []
        for case in results.names(*self.patterns):
            ours, theirs = results.first(case, self.ours), results.best(case, **self.which)
            if ours and theirs:
                rows.append((*results.ratio(case, ours, theirs), case, ours, theirs))
        if not rows:
            return ', '.join(self.patterns), MISSING
        verdicts = [verdict(low, median, self.limit) for low, median, *_ in rows]
        low, median, high, case, ours, theirs = max(rows, key=lambda row: row[1])
        value = results.cases[case][ours]['wall_ns']['median']
        worst = (f'{results.link(case)}: {figure(value)}, {times(median)} x '
                 f'({times(low)} – {times(high)}) {theirs}')
        if len(rows) == 1:
            return worst, verdicts[0]
        met = sum(v == YES for v in verdicts)
        return (f'{met} of {len(rows)} shapes; worst {worst}',
                NO if NO in verdicts else TIE if TIE in verdicts else YES)


class Absolute:
    """A figure of ours, at most (or at least) `limit`, in every case of some patterns."""

    def __init__(self, *patterns, limit, ours='thrum', value='wall_ns', unit=figure, least=False):
        self.patterns, self.limit, self.ours = patterns, limit, ours
        self.value, self.unit, self.least = value, unit, least

    def of(self, contender):
        if self.value == 'bytes':
            return contender['bytes'], contender['bytes']
        if self.value == 'cpu / wall':
            one, other = contender['cpu_ns']['rounds'], contender['wall_ns']['rounds']
            low, median, _ = spread([a / b for a, b in zip(one, other)])
            return low, median
        all_of = contender.get('also', {}) | {'wall_ns': contender['wall_ns'],
                                              'cpu_ns': contender['cpu_ns']}
        if self.value not in all_of:
            return None
        return all_of[self.value]['p90' if self.least else 'p10'], all_of[self.value]['median']

    def __call__(self, results):
        rows = []
        for case in results.names(*self.patterns):
            ours = results.first(case, self.ours)
            values = ours and self.of(results.cases[case][ours])
            if values:
                rows.append((*values, case))
        if not rows:
            return ', '.join(self.patterns), MISSING
        sign = -1 if self.least else 1
        verdicts = [verdict(sign * low, sign * median, sign * self.limit) for low, median, _ in rows]
        _, median, case = max(rows, key=lambda row: sign * row[1])
        text = f'{results.link(case)}: {self.unit(median)}'
        if len(rows) > 1:
            met = sum(v == YES for v in verdicts)
            text = f'{met} of {len(rows)} shapes; worst {text}'
        return text, NO if NO in verdicts else TIE if TIE in verdicts else YES


class Decided:
    """Wall time as it is over that of a variant, in some cases of a decision's file."""

    def __init__(self, decision, variant, limit, *cases):
        self.decision, self.variant, self.limit, self.cases = decision, variant, limit, cases

    def __call__(self, results):
        measured, file = results.decision(self.decision)
        rows = []
        for case in self.cases:
            if case in measured:
                ours, theirs = (measured[case][name]['wall_ns']['rounds']
                                for name in ('chosen', self.variant))
                rows.append((*spread([a / b for a, b in zip(ours, theirs)]), case))
        if not rows:
            return f'{self.decision}, {self.variant}', MISSING
        verdicts = [verdict(low, median, self.limit) for low, median, *_ in rows]
        low, median, high, case = max(rows, key=lambda row: row[1])
        return (f'{sum(v == YES for v in verdicts)} of {len(rows)} shapes; worst [{case}]'
                f'(../{file.relative_to(ROOT)}): {times(median)} x ({times(low)} – {times(high)}) '
                f'{self.variant}', NO if NO in verdicts else TIE if TIE in verdicts else YES)


class With:
    """Another goal, measured under other conditions: with the results of a folder in ours."""

    def __init__(self, folder, goal):
        self.folder, self.goal = folder, goal

    def __call__(self, results):
        return self.goal(Results(results.folder / self.folder))


class Tested:
    """No figure: tests say it."""

    def __init__(self, *tests):
        self.tests = tests

    def __call__(self, results):
        return ', '.join(f'`{test}`' for test in self.tests), 'by tests'


def plain(value):
    return f'{value:.2f}'


def in_bytes(value):
    return f'{value} bytes'


FLOOR = 'floor: compare'
DONE = 'thrum::Queue, task_done'
BOUNDED = ('queue/[124]:[124]/number/capacity=64', 'queue/[124]:[124]/number/capacity=1024')
THREADS = (NO_LIMIT, 'Go ')
BARE = {'kinds': ('floor',)}  # of a queue: a ring that never sleeps, ends, grows or refuses
NO_KERNEL = '≤ best but goroutines, that need no kernel'
GOALS = [
    ('Lock uncontended', '≤ 1.05 x floor', OverContender('lock/uncontended', FLOOR, 1.05)),
    ('std::scoped_lock', '≤ 1.05 x floor', OverContender('lock/scoped_lock', FLOOR, 1.05)),
    ('RLock', '≤ 1.1 x floor', OverContender('rlock/uncontended', FLOOR, 1.1)),
    ('Lock, timed acquire', '≤ 1.1 x floor', OverContender('lock/timed', FLOOR, 1.1)),
    ('Lock contended', '≤ best', OverBest('lock/contended/T=[248]/*', 'lock/contended/T=16/*')),
    ('Lock, one core', '≤ std::mutex', OverContender('lock/one-cpu/T=4/cs=0', 'std', 1.0)),
    ('', '', OverContender('lock/one-cpu/T=4/cs=50', 'std', 1.0)),
    ('', '', OverContender('lock/one-cpu/T=4/cs=1000', 'std', 1.0)),
    ('Lock, four threads per core', '≤ std::mutex',
     OverContender('lock/four-per-cpu/cs=50', 'std', 1.0)),
    ('', '', OverContender('lock/four-per-cpu/cs=1000', 'std', 1.0)),
    ('Lock fairness: poorest / richest', '≥ 0.5',
     Absolute('lock/fairness/*', limit=0.5, value='poorest / richest', unit=plain, least=True)),
    ('Lock fairness: longest wait', 'about 1 ms',
     Absolute('lock/fairness/*', limit=2e6, value='wait max ns')),
    ('Lock fairness: what it costs', '≤ 1.05 x without',
     Decided('0002-fairness', 'nobody pleads', 1.05, 'lock/contended/T=2/cs=1000',
             'lock/contended/T=4/cs=1000', 'lock/contended/T=8/cs=50',
             'lock/contended/T=8/cs=1000', 'lock/contended/T=8/cs=5000',
             'lock/one-cpu/T=4/cs=1000')),
    ('Semaphore uncontended', '≤ 11 ns', Absolute('semaphore/uncontended', limit=11)),
    ('Semaphore hand-off', '≤ 70 ns', Absolute('semaphore/ping-pong/apart', limit=70)),
    ('', '≤ 1.25 x a flag that both look at',
     OverContender('semaphore/ping-pong/apart', 'floor: spin', 1.25)),
    ('Semaphore contended', '≤ best', OverBest('semaphore/contended/*')),
    ('Event is_set', '≤ 1 ns', Absolute('event/is_set', limit=1)),
    ('Event, set with nobody waiting', 'no system call: ≤ 50 ns, with wait and clear',
     Absolute('event/uncontended', limit=50)),
    ('Event ping-pong', '≤ best', OverBest('event/ping-pong*')),
    ('Event wake of 1, 8, 64', '≤ best',
     OverBest('event/wake/W=1', 'event/wake/W=8', 'event/wake/W=64')),
    ('Condition 1:1, 2:2, 4:4', '≤ best', OverBest('condition/?:?/*')),
    ('Condition broadcast', '≤ best', OverBest('condition/broadcast/*')),
    ('Condition ping-pong, one core', '≤ best', OverBest('condition/ping-pong/one-cpu')),
    ('Barrier', '≤ std::barrier', OverContender('barrier/T=2', 'std', 1.0)),
    ('', '', OverContender('barrier/T=4', 'std', 1.0)),
    ('', '', OverContender('barrier/T=8', 'std', 1.0)),
    ('', '', OverContender('barrier/T=16', 'std', 1.0)),
    ('Queue bounded, put + get + task_done', '≤ 20 ns', Absolute(*BOUNDED, limit=20, ours=DONE)),
    ('', '≤ 1.25 x floor', OverBest(*BOUNDED, ours=DONE, rival='task_done', limit=1.25, **BARE)),
    ('', '≤ 0.05 x mutex + 2 cv at 64',
     OverBest(BOUNDED[0], ours=DONE, rival='std mutex', limit=0.05)),
    ('', '≤ best', OverBest(*BOUNDED, ours=DONE)),
    ('', '≤ moodycamel, that has no limit',
     OverBest(*BOUNDED, ours=DONE, rival='moodycamel', without=())),
    ('Queue of strings', '≤ best', OverBest('queue/[124]:[124]/string/*')),
    ('', NO_KERNEL, OverBest('queue/[124]:[124]/string/*', without=THREADS)),
    ('', f'{NO_KERNEL}; malloc is mimalloc',
     With('mimalloc', OverBest('queue/[124]:[124]/string/*', without=THREADS))),
    ('', '≤ 1.25 x floor',
     OverBest('queue/[124]:[124]/string/*', limit=1.25, without=('task_done',), **BARE)),
    ('Queue of unique_ptr', '≤ best', OverBest('queue/[124]:[124]/unique_ptr/*')),
    ('', NO_KERNEL, OverBest('queue/[124]:[124]/unique_ptr/*', without=THREADS)),
    ('', f'{NO_KERNEL}; malloc is mimalloc',
     With('mimalloc', OverBest('queue/[124]:[124]/unique_ptr/*', without=THREADS))),
    ('', '≤ 1.25 x floor',
     OverBest('queue/[124]:[124]/unique_ptr/*', limit=1.25, without=('task_done',), **BARE)),
    ('Queue unbounded', '≤ best', OverBest('queue/[124]:[124]/number/capacity=none')),
    ('SimpleQueue', '≤ best', OverBest('queue/[124]:[124]/number/capacity=none',
                                       ours='thrum::SimpleQueue')),
    ('Queue of capacity 1', '≤ best', OverBest('queue/[124]:[124]/number/capacity=1')),
    ('', NO_KERNEL, OverBest('queue/[124]:[124]/*/capacity=1', without=THREADS)),
    ('Queue hand-off', '≤ best', OverBest('queue/ping-pong*')),
    ('', NO_KERNEL, OverBest('queue/ping-pong*', without=THREADS)),
    ('LifoQueue', '≤ 0.5 x std', OverContender('lifo_queue/uncontended', 'std', 0.5)),
    ('', '', OverBest('lifo_queue/?:?/*', rival='std mutex', limit=0.5)),
    ('PriorityQueue', '≤ 0.5 x std', OverContender('priority_queue/uncontended', 'std', 0.5)),
    ('', '', OverBest('priority_queue/?:?/*', rival='std mutex', limit=0.5)),
    ('', "≤ TBB's", OverContender('priority_queue/uncontended', 'tbb', 1.0)),
    ('', '', OverBest('priority_queue/?:?/*', rival='tbb')),
    ('bulk put and get of 32', '≤ 5 ns per item', Absolute('queue/bulk/*', limit=5)),
    ('Thread start + join', '≤ 1.05 x std::thread', OverContender('thread/start-join', 'std', 1.05)),
    ('Group of 1000', '≤ 1.05 x std::thread', OverContender('thread/group=1000', 'std', 1.05)),
    ('Timer start + cancel', '≤ 200 ns', Absolute('timer/start-cancel/pending=0', limit=200)),
    ('Timer, a million pending', '≤ 200 ns',
     Absolute('timer/start-cancel/pending=1000000', limit=200)),
    ('Timer lateness', '≤ 1 ms', Absolute('timer/lateness*', limit=1e6, value='latest ns')),
    ('Waiting threads, 8 for 1 ms', '0 CPU', Absolute('idle/*', limit=1, value='cpu_ns')),
    ('CPU per operation, two threads', '≤ 2 x wall',
     Absolute('lock/contended/T=2/*', '*/ping-pong/apart', limit=2.05, value='cpu / wall',
              unit=times)),
    ('Size of Lock', '4 bytes', Absolute('lock/uncontended', limit=4, value='bytes', unit=in_bytes)),
    ('RLock', '16 bytes', Absolute('rlock/uncontended', limit=16, value='bytes', unit=in_bytes)),
    ('Semaphore', '8 bytes',
     Absolute('semaphore/uncontended', limit=8, value='bytes', unit=in_bytes)),
    ('Event', '8 bytes', Absolute('event/uncontended', limit=8, value='bytes', unit=in_bytes)),
    ('Condition', '16 bytes',
     Absolute('condition/notify', limit=16, value='bytes', unit=in_bytes)),
    ('Queue', '256 bytes + slots',
     Absolute('queue/uncontended/capacity=64', limit=256, value='bytes', unit=in_bytes)),
    ('Memory after a burst', 'returns', Tested('RingStore.GivesBackTheMemoryOfABurst')),
    ('No allocation in steady state', 'none', Tested('RingStore.AllocatesNothingInUse')),
]


def rows(results):
    """Each goal with what was measured: its row, as it is written, goal, figures, whether it is met."""
    row = ''
    for written, goal, measure in GOALS:
        row = written or row
        yield row, written, goal, *measure(results)


def goals(results):
    lines = ['| row | goal | measured | met |', '| --- | --- | --- | --- |']
    return lines + [f'| {" | ".join(cells)} |' for _, *cells in rows(results)]


def said(evidence, results):
    """What a reason's {case | contender | figure} was, {decision: case | variant | x} times what."""
    place, contender, value = (part.strip() for part in evidence.split('|'))
    decision, _, case = place.rpartition(': ')
    contenders = (results.decision(decision)[0] if decision else results.cases).get(case, {})
    one = contenders.get(contender)
    if one is None:
        return f'{MISSING} ({place})'
    if value == 'x':
        rounds = zip(one['wall_ns']['rounds'], contenders['chosen']['wall_ns']['rounds'])
        return f'{times(spread([a / b for a, b in rounds])[1])} x'
    return figure(({'wall': one['wall_ns'], 'cpu': one['cpu_ns']} | one.get('also', {}))[value]['median'])


def not_met(results):
    """A line for each row of which something is not met."""
    missed = dict.fromkeys(row for row, *_, met in rows(results) if met in (TIE, NO))
    return [f'* **{row}**: ' + re.sub(r'{(.*?)}', lambda found: said(found[1], results),
                                      WHY.get(row, 'not looked into.')) for row in missed]
