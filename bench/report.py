#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Makes docs/performance.md and its pictures from a folder of results.

  report.py [FOLDER]    without it: the newest in bench/results
"""

import json
import pathlib
import sys

import matplotlib

matplotlib.use('Agg')
import matplotlib.pyplot as plt  # noqa: E402

from goals import ROOT, Results, figure, goals, kind_of, newest_folder, not_met, times  # noqa: E402

DOCS = ROOT / 'docs'
PICTURES = DOCS / 'performance'


# ---- pictures

COLOURS = {'thrum': '#1b7f5c', 'std': '#b5651d', 'peer': '#6f87a6', 'spin': '#c9d1dc',
           'floor': '#e4e4e4'}
LEGEND = {'thrum': 'thrum', 'std': 'standard library', 'peer': 'peer that blocks',
          'spin': 'peer that never sleeps', 'floor': 'floor: the least that could do it'}
GROUPS = [
    ('lock_alone', 'Lock, nobody else there',
     ['lock/uncontended', 'lock/scoped_lock', 'lock/timed', 'rlock/*']),
    ('lock_contended', 'Lock, threads take turns',
     [f'lock/contended/T={threads}/cs={ns}' for ns in (0, 50, 1000) for threads in (2, 4, 8, 16)]),
    ('lock_crowded', 'Lock, more threads than cores, work outside; one core',
     ['lock/four-per-cpu/*', 'lock/one-cpu/*']),
    ('semaphore', 'Semaphore', ['semaphore/*']),
    ('event', 'Event', ['event/is_set', 'event/uncontended', 'event/ping-pong*', 'event/wake/W=?',
                        'event/wake/W=64']),
    ('condition', 'Condition', ['condition/*']),
    ('barrier', 'Barrier', ['barrier/T=[248]', 'barrier/T=16']),
    ('queue_number', 'Queue of numbers, bounded',
     ['queue/[124]:[124]/number/capacity=64', 'queue/[124]:[124]/number/capacity=1024']),
    ('queue_edges', 'Queue of numbers, capacity 1 and none',
     ['queue/[124]:[124]/number/capacity=1', 'queue/[124]:[124]/number/capacity=none']),
    ('queue_string', 'Queue of strings', ['queue/[124]:[124]/string/*']),
    ('queue_unique_ptr', 'Queue of unique_ptr', ['queue/[124]:[124]/unique_ptr/*']),
    ('queue_alone', 'Queue: alone, hand-off, bulk',
     ['queue/uncontended/*', 'queue/task_done', 'queue/ping-pong*', 'queue/bulk/*']),
    ('queue_ordered', 'LifoQueue and PriorityQueue',
     ['lifo_queue/uncontended', 'lifo_queue/?:?/*', 'priority_queue/uncontended',
      'priority_queue/?:?/*']),
    ('thread', 'Thread, Timer, and what a switch costs', ['thread/*', 'timer/*', 'switch/*']),
]
# What a cost may grow with.
ALGORITHMS = {
    'growth_threads': 'The algorithms say: a turn of a lock and an item of a queue cost the same for any number '
                      'of threads; a round of a barrier grows with them, since each must run once.',
    'growth_waiters': 'The algorithms say: linear, since each waiter must run once. Where all lines bend at the '
                      'same place it is the kernel.',
    'growth_items': 'The algorithms say: the same for any number of items; a priority queue grows with the '
                    'logarithm, and where its heap no longer fits a cache.',
}
# File, title, what grows, and for each panel: its title and where the number stands in the names.
GROWTH = [
    ('growth_threads', 'threads',
     [('Lock, a turn of 50 ns', 'lock/contended/T={}/cs=50', 1),
      ('Barrier, a round', 'barrier/T={}', 1),
      ('Queue, capacity 64, as many put as get', 'queue/{0}:{0}/number/capacity=64', 2)]),
    ('growth_waiters', 'waiters',
     [('Event, until all have woken', 'event/wake/W={}', 1),
      ('Condition, notify_all and answers', 'condition/broadcast/W={}', 1)]),
    ('growth_items', 'items in the queue',
     [('Queue without limit', 'queue/items={}', 1), ('LifoQueue', 'lifo_queue/items={}', 1),
      ('PriorityQueue', 'priority_queue/items={}', 1)]),
]
# For lines: told apart by colour where there are many of a kind.
LINES = ['#4c72b0', '#8172b3', '#937860', '#da8bc3', '#bcbd22', '#ccb974', '#64b5cd', '#c44e52',
         '#55a868', '#444444']


def save(fig, name, results, cases):
    documents = [results.machines[results.file[case].stem] for case in cases]
    machines = dict.fromkeys(document['machine']['line'] for document in documents)
    fig.text(0.01, 0.004, '\n'.join(machines), fontsize=6.5, color='#777777', va='bottom')
    fig.savefig(PICTURES / f'{name}.png', dpi=100, metadata={'Software': None})
    plt.close(fig)


def grid(heights):
    """A figure of panels in two columns, each as high as the bars it has to show."""
    bar, above, gap, top, bottom = 0.185, 0.3, 0.12, 0.62, 0.3  # inches
    rows = [heights[i:i + 2] for i in range(0, len(heights), 2)]
    height = sum(max(row) * bar + above + gap for row in rows) + top + bottom
    fig = plt.figure(figsize=(10, height))
    panels, y = [], height - top
    for row in rows:
        for column, count in enumerate(row):
            panels.append(fig.add_axes((0.205 + 0.5 * column, (y - above - count * bar) / height,
                                        0.285, count * bar / height)))
        y -= max(row) * bar + above + gap
    return fig, panels


def bars(axes, results, case):
    contenders = sorted(results.cases[case].values(), key=lambda one: -one['wall_ns']['median'])
    medians = [max(one['wall_ns']['median'], 1e-3) for one in contenders]
    low = [max(m - one['wall_ns']['p10'], 0) for m, one in zip(medians, contenders)]
    high = [max(one['wall_ns']['p90'] - m, 0) for m, one in zip(medians, contenders)]
    kinds = [kind_of(one['name']) for one in contenders]
    where = range(len(contenders))
    axes.barh(where, medians, color=[COLOURS[k] for k in kinds], height=0.72,
              edgecolor=['#999999' if k in ('floor', 'spin') else 'none' for k in kinds],
              linewidth=0.5)
    axes.errorbar(medians, where, xerr=[low, high], fmt='none', ecolor='#222222', elinewidth=0.8,
                  capsize=1.8)
    logarithmic = max(m + h for m, h in zip(medians, high)) > 10 * min(medians)
    if logarithmic:
        axes.set_xscale('log')
        start, end = min(medians) / 3, max(m + h for m, h in zip(medians, high))
        axes.set_xlim(start, end * (end / start) ** 0.22)
    else:
        axes.set_xlim(0, max(m + h for m, h in zip(medians, high)) * 1.24)
    for y, median, above in zip(where, medians, high):
        end = median + above
        gap = end * 1.12 if logarithmic else end + axes.get_xlim()[1] * 0.012
        axes.text(gap, y, figure(median), va='center', fontsize=6.5)
    axes.set_yticks(where, [one['name'].replace('compare-exchange', 'cmpxchg')
                            for one in contenders], fontsize=7)
    for label, kind in zip(axes.get_yticklabels(), kinds):
        if kind == 'thrum':
            label.set_color(COLOURS['thrum'])
            label.set_fontweight('bold')
        if len(label.get_text()) > 34:
            label.set_fontsize(6)
    axes.set_ylim(-0.6, len(contenders) - 0.4)
    axes.set_title(f'{case}   {results.operation[case]}' + (' (log)' if logarithmic else ''),
                   fontsize=7.5, loc='right', pad=3)
    axes.xaxis.set_major_locator(matplotlib.ticker.NullLocator())
    axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    frame(axes)


def frame(axes):
    axes.tick_params(length=0)
    for side in ('top', 'right', 'bottom'):
        axes.spines[side].set_visible(False)
    axes.spines['left'].set_color('#999999')


def draw_group(results, name, title, patterns):
    cases = results.names(*patterns)
    if not cases:
        return None
    fig, panels = grid([len(results.cases[case]) for case in cases])
    for axes, case in zip(panels, cases):
        bars(axes, results, case)
    decorate(fig, title + ': time per operation, shorter is better; whiskers p10 – p90',
             {kind_of(n) for case in cases for n in results.cases[case]})
    save(fig, name, results, cases)
    return name


def decorate(fig, title, kinds):
    height = fig.get_figheight()
    fig.text(0.01, 1 - 0.12 / height, title, fontsize=10, va='top', fontweight='bold')
    handles = [matplotlib.patches.Patch(facecolor=COLOURS[k], label=LEGEND[k], edgecolor='#999999',
                                        linewidth=0.4) for k in COLOURS if k in kinds]
    fig.legend(handles=handles, loc='upper left', bbox_to_anchor=(0.0, 1 - 0.3 / height),
               ncol=len(handles), fontsize=7, frameon=False, handlelength=1.2)


def draw_fairness(results):
    cases = results.names('lock/fairness/*')
    if not cases:
        return None
    fig, panels = grid([len(results.cases[case]) + 1 for case in cases for _ in range(2)])
    for i, case in enumerate(cases):
        contenders = [one for one in results.cases[case].values() if kind_of(one['name']) != 'floor']
        contenders.sort(key=lambda one: one['also']['poorest / richest']['median'])
        shares, waits = panels[2 * i], panels[2 * i + 1]
        for y, one in enumerate(contenders):
            kind = kind_of(one['name'])
            share = one['also']['poorest / richest']
            shares.barh(y, share['median'], color=COLOURS[kind], height=0.72)
            shares.plot([share['p10'], share['p90']], [y, y], color='#222222', linewidth=0.8)
            shares.text(max(share['p90'], share['median']) + 0.02, y, f"{share['median']:.2f}",
                        va='center', fontsize=6.5)
            figures = [one['also'][f'wait {q} ns']['median'] for q in ('p50', 'p99', 'p99.9', 'max')]
            waits.plot(figures, [y] * 4, color=COLOURS[kind], linewidth=1.2, zorder=1)
            for value, marker in zip(figures, 'o^sD'):
                waits.scatter(value, y, marker=marker, s=18, color=COLOURS[kind], zorder=2)
            waits.text(figures[-1] * 1.6, y, figure(figures[-1]), va='center', fontsize=6.5)
        names = [one['name'] for one in contenders]
        for axes in (shares, waits):
            axes.set_yticks(range(len(names)), names, fontsize=7)
            axes.set_ylim(-0.6, len(names) - 0.4)
            frame(axes)
        shares.set_xlim(0, 1.15)
        shares.axvline(0.5, color='#999999', linewidth=0.6, linestyle=':')
        shares.set_xticks([0, 0.5, 1], ['0', '0.5', '1'], fontsize=6.5)
        shares.set_title(f'{case}: turns of the poorest thread / the richest', fontsize=7.5,
                         loc='right', pad=3)
        waits.set_xscale('log')
        waits.set_xlim(10, waits.get_xlim()[1] * 12)
        waits.set_xticks([1e2, 1e4, 1e6, 1e8], ['100 ns', '10 us', '1 ms', '100 ms'], fontsize=6.5)
        waits.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
        waits.axvline(1e6, color='#999999', linewidth=0.6, linestyle=':')
        waits.set_title('wait: ● p50  ▲ p99  ■ p99.9  ◆ longest', fontsize=7.5, loc='right', pad=3)
    decorate(fig, 'Lock fairness',
             {kind_of(n) for case in cases for n in results.cases[case]} - {'floor'})
    save(fig, 'lock_fairness', results, cases)
    return 'lock_fairness'


def draw_growth(results, name, what, panels):
    series, cases = [], []
    for title, pattern, factor in panels:
        points = {}
        for number in (1, 2, 4, 8, 16, 32, 64, 100, 256, 1000, 10_000, 1_000_000, 10_000_000):
            case = pattern.format(number)
            if case not in results.cases:
                continue
            cases.append(case)
            for one in results.cases[case].values():
                points.setdefault(one['name'], []).append((number * factor, one['wall_ns']))
        points = {n: p for n, p in points.items() if len(p) > 1 and kind_of(n) != 'spin'}
        if points:
            series.append((title, points))
    if not series:
        return None
    fig, all_axes = plt.subplots(len(series), 1, figsize=(10, 3.1 * len(series) + 0.4),
                                 squeeze=False)
    fig.subplots_adjust(left=0.08, right=0.72, hspace=0.42, top=1 - 0.55 / fig.get_figheight(),
                        bottom=0.6 / fig.get_figheight())
    for axes, (title, points) in zip(all_axes.flat, series):
        colours = iter(LINES)
        for contender, values in points.items():
            kind = kind_of(contender)
            x = [number for number, _ in values]
            y = [v['median'] for _, v in values]
            ours = kind == 'thrum'
            plainer = kind == 'floor'
            colour = COLOURS['thrum'] if ours else '#aaaaaa' if plainer else next(colours)
            style = '-' if contender.count(',') == 0 and 'Simple' not in contender else '--'
            axes.errorbar(x, y, yerr=[[max(v['median'] - v['p10'], 0) for _, v in values],
                                      [max(v['p90'] - v['median'], 0) for _, v in values]],
                          label=contender.replace('compare-exchange', 'cmpxchg'), color=colour,
                          linewidth=2.2 if ours else 1.1, capsize=2, elinewidth=0.7,
                          linestyle=':' if plainer else style, marker='o',
                          markersize=4 if ours else 3, zorder=3 if ours else 2)
        axes.set_xscale('log')
        axes.set_yscale('log')
        ticks = sorted({number for values in points.values() for number, _ in values})
        axes.set_xticks(ticks, [f'{t // 1_000_000} M' if t >= 1_000_000 else f'{t:,}'.replace(',', ' ')
                                for t in ticks], fontsize=7)
        axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
        axes.yaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(
            lambda value, _: figure(value).replace('.00', '').replace('.0', '')))
        axes.yaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
        low, high = axes.get_ylim()
        if high / low < 10:  # a small difference shall look small
            low, high = (low * high / 10) ** 0.5, (low * high * 10) ** 0.5
            axes.set_ylim(low, high)
        if high / low < 80:  # or there are too few ticks
            axes.yaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
        axes.tick_params(labelsize=7)
        axes.grid(True, color='#eeeeee', linewidth=0.6)
        axes.set_title(f'{title}, by {what}', fontsize=8.5, loc='left', pad=4)
        axes.legend(fontsize=6.5, frameon=False, loc='center left', bbox_to_anchor=(1.01, 0.5))
        for side in ('top', 'right'):
            axes.spines[side].set_visible(False)
    fig.text(0.01, 1 - 0.12 / fig.get_figheight(), f'How costs grow with {what}; both scales '
             'logarithmic, whiskers p10 – p90', fontsize=10, va='top', fontweight='bold')
    save(fig, name, results, cases)
    return name


# ---- the page

def sizes(results):
    rows = {}
    for case in results.names('lock/uncontended', 'lock/timed', 'rlock/uncontended',
                              'semaphore/uncontended', 'event/uncontended', 'event/is_set',
                              'condition/notify', 'barrier/T=2', 'queue/uncontended/*',
                              'thread/start-join', 'timer/start-cancel/pending=0'):
        for name, one in results.cases[case].items():
            if one['bytes'] and kind_of(name) != 'floor':
                rows.setdefault(case.split('/')[0], {})[name] = one['bytes']
    lines = ['| primitive | bytes of one object |', '| --- | --- |']
    for primitive, objects in rows.items():
        listed = sorted(objects.items(), key=lambda item: item[1])
        lines.append(f'| {primitive} | ' + ', '.join(
            f'**{n} {b}**' if kind_of(n) == 'thrum' else f'{n} {b}' for n, b in listed) + ' |')
    return lines


def waiting(results):
    lines = ['| 8 threads wait for 1 ms | contender | CPU ns | times woken |',
             '| --- | --- | --- | --- |']
    for case in results.names('idle/*'):
        for name, one in results.cases[case].items():
            lines.append(f"| {case} | {name} | {one['cpu_ns']['median']:.2f} | "
                         f"{one['voluntary_switches']['median']:.2f} |")
    return lines


def instructions(results):
    file = results.folder / 'instructions/alone.json'
    if not file.exists():
        return []
    document = json.loads(file.read_text(encoding='utf-8'))
    lines = ['', '## Instructions', '',
             f'Of one operation where one thread is alone, counted by callgrind ([{file.name}]'
             f'(../{file.relative_to(ROOT)})).', '', '| case | thrum | others |', '| --- | --- | --- |']
    for case in document['cases']:
        ours, others = [], []
        for one in sorted(case['contenders'], key=lambda one: one['instructions']):
            name, number = one['name'], f"{one['instructions']:.0f}"
            (ours if kind_of(name) == 'thrum' else others).append(f'{name} {number}')
        lines.append(f"| {case['name']} | {', '.join(ours)} | {', '.join(others)} |")
    return lines


def every_case(results):
    lines = ['| case | thrum | best that blocks | ratio (p10 – p90) | std | floor |',
             '| --- | --- | --- | --- | --- | --- |']
    for case, contenders in results.cases.items():
        ours, best = results.first(case, 'thrum'), results.best(case)
        if not ours or case.startswith('idle/'):
            continue

        def of(name, contenders=contenders):
            return figure(contenders[name]['wall_ns']['median']) if name else '–'

        ratio = '–'
        if best:
            low, median, high = results.ratio(case, ours, best)
            ratio = f'{times(median)} ({times(low)} – {times(high)})'
            ratio = f'**{ratio}**' if low > 1 else ratio
        lines.append(f'| {case} | {of(ours)} | {of(best)} {best or ""} | {ratio} | '
                     f'{of(results.first(case, "std"))} | {of(results.first(case, "floor"))} |')
    return lines


def page(results, pictures):
    newest = max(document['date'] for document in results.machines.values())
    machines = sorted({document['machine']['line'] for document in results.machines.values()})
    documents = list(results.machines.values())
    peers = documents[0]['machine']['peers']
    missing = sorted({d['machine']['missing_peers'] for d in documents} - {''})
    rounds = sorted({d['rounds'] for d in documents})
    busiest = max(d['machine']['load'] / d['machine']['cores'] for d in documents)
    lines = ['<!-- Made by ci/bench.sh; do not edit. -->', '# Performance', '',
             'What each operation costs beside its peers, measured in interleaved rounds. '
             f'Made {newest[:10]} from [bench/results/{results.folder.name}]'
             f'(../{results.folder.relative_to(ROOT)}); `ci/bench.sh` makes it again, from a fresh '
             'clone, on your machine.', '']
    lines += [f'* {line}' for line in machines]
    lines += [f'* C++ peers: {peers or "none"}' + (f'; not there: {"; ".join(missing)}' if missing else ''),
              f'* {" or ".join(map(str, rounds))} rounds; time is the median, ratios are of pairs in '
              'the same round']
    if busiest > 0.5:
        lines.append(f'* **The machine was busy** (load up to {busiest:.1f} for each core): '
                     'an impression, no result')
    lines += ['', '## Goals', '',
              '*Best* is the fastest peer that blocks: no spin lock, no floor, no queue without a limit '
              'where there is one. *level*: the goal '
              'lies between p10 and the median. A ratio over 1 means that thrum is slower.', '']
    lines += goals(results) + ['', '## Goals not met', ''] + not_met(results)
    titles = {name: title for name, title, _ in GROUPS} | {
        'lock_fairness': 'Lock, fairness', 'growth_threads': 'Growth: threads',
        'growth_waiters': 'Growth: waiters', 'growth_items': 'Growth: items'}
    for name in pictures:
        lines += ['', f'## {titles[name]}', '', f'![{titles[name]}](performance/{name}.png)']
        if name in ALGORITHMS:
            lines += ['', ALGORITHMS[name]]
    lines += ['', '## Sizes', ''] + sizes(results)
    lines += ['', '## Waiting', ''] + waiting(results)
    lines += instructions(results)
    lines += ['', '## Every case', '',
              'Bold where thrum is behind in nine of ten rounds.', ''] + every_case(results)
    lines += ['', '## Limits', '',
              'Those of [the results](../bench/results/README.md). One machine is one machine: run it '
              'on yours.', '']
    return '\n'.join(lines)


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else newest_folder()
    results = Results(folder.resolve())
    PICTURES.mkdir(exist_ok=True)
    pictures = []
    for name, title, patterns in GROUPS:
        pictures.append(draw_group(results, name, title, patterns))
        if name == 'lock_crowded':
            pictures.append(draw_fairness(results))
    for name, what, panels in GROWTH:
        pictures.append(draw_growth(results, name, what, panels))
    page_file = DOCS / 'performance.md'
    page_file.write_text(page(results, [p for p in pictures if p]), encoding='utf-8')
    print(f'written to {page_file.relative_to(ROOT)}')


if __name__ == '__main__':
    main()
