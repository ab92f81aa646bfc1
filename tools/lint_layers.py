#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Checks the layers: who may include whom, and who may block.

  lint_layers.py [ROOT]    prints file:line: why; exit 1 if there is something to say
"""

import fnmatch
import re
import sys

import cpp_source

# Folder -> the headers of ours that it may include.
MAY_INCLUDE = {
    'include/thrum': ['thrum/*'],
    'src/waist': ['thrum/*', 'waist/*'],
    'src/threading': ['thrum/*', 'waist/*', 'threading/*'],
    'src/interpose': ['thrum/observe.h', 'interpose/*'],
    'src/trace': ['thrum/observe.h', 'trace/*'],
    'src/watch': ['thrum/observe.h', 'interpose/*', 'trace/*', 'watch/*'],
    'src/check': ['thrum/observe.h', 'thrum/check.h', 'interpose/*', 'trace/*', 'check/*'],
    'src/analysis': ['thrum/observe.h', 'trace/*', 'analysis/*'],
    'src/explore': ['check/protocol.h', 'analysis/*', 'text/*', 'explore/*'],
    'src/text': ['text/*'],
    'src/report': ['thrum/observe.h', 'trace/*', 'analysis/*', 'text/*', 'report/*'],
    'src/cli': ['thrum/*', 'trace/*', 'analysis/*', 'text/*', 'report/*', 'check/protocol.h',
                'explore/*', 'cli/*'],
}
OUR_FOLDERS = {'thrum', *(folder.split('/')[1] for folder in MAY_INCLUDE)}

# The waist blocks; interpose and check have a lock and an engine of their own; watch passes on the
# blocking calls of the program, and makes none; the last three never run inside an observed process.
# Everybody else blocks through wait() of thrum/wait.h, or not at all.
MAY_BLOCK = {'src/waist', 'src/interpose', 'src/watch', 'src/check', 'src/analysis', 'src/explore',
             'src/report', 'src/cli'}

# What is linked into somebody's program brings no dependency along.
MAY_DEPEND = {'src/analysis', 'src/explore', 'src/text', 'src/report', 'src/cli'}
SYSTEM_FOLDERS = {'sys', 'linux', 'asm'}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]', re.MULTILINE)
# Not here: pthread_once, which lasts as long as a short function of ours, and pthread_join, which
# reaps a thread whose end was awaited.
BLOCKING = re.compile(
    r'\bstd::(?:(?:recursive_|shared_)?(?:timed_)?mutex|condition_variable(?:_any)?'
    r'|counting_semaphore|binary_semaphore|latch|barrier|(?:shared_)?future|promise'
    r'|async|thread|jthread)\b'
    r'|\b(?:std::)?(?:this_thread::)?sleep_(?:for|until)\b'
    r'|\b(?:SYS|__NR)_futex\w*|\bFUTEX_WAIT\w*'
    r'|\bpthread_(?:mutex_\w*lock|cond_\w*wait|rwlock_\w*lock|spin_lock|barrier_wait)\b'
    r'|\b(?:sem_(?:timed|clock)?wait|clock_nanosleep|nanosleep|usleep)\b'
    r'|(?<![\w.>])(?:::)?(?:sleep|pause|p?poll|p?select|epoll_p?wait|sigwait|sigsuspend)'
    r'\s*\((?!\))')
ATOMIC_WAIT = re.compile(r'\b(?:std::atomic\s*<[^;{}()]*>|Word)\s*&?\s*(\w+)\s*[{;,)=(]')


def layer_of(name):
    return '/'.join(name.split('/')[:2])


def check_includes(source, layer):
    for match in INCLUDE.finditer(source.text):
        start = match.end(0) - len(match[0].lstrip())
        if source.code[start] != '#':
            continue  # commented out
        header, line = match[1], source.line(start)
        folder = header.split('/')[0] if '/' in header else ''
        if folder in OUR_FOLDERS:
            allowed = MAY_INCLUDE[layer]
            if not any(fnmatch.fnmatch(header, pattern) for pattern in allowed):
                yield source.at(line, f'{layer} must not include {header}, only '
                                      f'{", ".join(allowed)}')
        elif folder in ('.', '..') or (not folder and '"' in match[0]):
            yield source.at(line, f'{header}: write the path from include/ or src/, so that the '
                                  'layer shows')
        elif folder and folder not in SYSTEM_FOLDERS and layer not in MAY_DEPEND:
            yield source.at(line, f'{layer} must not depend on {header}: it is linked into '
                                  "somebody's program")


def check_blocking(source, layer):
    if layer in MAY_BLOCK:
        return
    why = 'only the waist blocks; use wait() of thrum/wait.h'
    for match in BLOCKING.finditer(source.code):
        yield source.at(source.line(match.start()), f'{match[0].strip(" (")}: {why}')
    for name in sorted(set(ATOMIC_WAIT.findall(source.code))):
        for match in re.finditer(rf'\b{name}\s*\.\s*wait\s*\(', source.code):
            yield source.at(source.line(match.start()), f'std::atomic::wait on {name}: {why}')


def check(root):
    findings = []
    for source in cpp_source.sources(root):
        layer = layer_of(source.name)
        if layer not in MAY_INCLUDE:
            findings.append(source.at(1, f'{layer} is in no layer of tools/lint_layers.py'))
            continue
        findings += check_includes(source, layer)
        findings += check_blocking(source, layer)
    return findings


if __name__ == '__main__':
    sys.exit(cpp_source.main(check))
