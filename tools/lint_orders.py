#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Checks that every atomic operation says how it is ordered, and why.

  lint_orders.py [ROOT]    prints file:line: why; exit 1 if there is something to say

  // Edges
  //   [handoff] release -> acquire: what one holder did happens before what the next holder does.
  word_.store(kFree, std::memory_order_release);  // [handoff]

* An atomic operation writes its order; a compare-exchange writes both.
* An order that is not relaxed names its edge: in a comment on its line, else on a line of its
  statement, else in the comment directly above the statement.
* An edge is listed once, under `// Edges`, in x.h or x.cpp for both, or in a header that the file
  includes; it has a releasing and an acquiring end. acq_rel and seq_cst are both.
"""

import collections
import re
import sys

import cpp_source

CALL = re.compile(
    r'(?:\.|->)\s*(load|store|exchange|fetch_\w+|compare_exchange_\w+|test_and_set)\s*(\()')
FREE_CALL = re.compile(r'\b(?:std::)?atomic_(?:load|store|exchange|fetch_\w+|compare_exchange_\w+'
                       r'|flag_\w+|init)\s*\(')
ORDER = re.compile(r'\bmemory_order(?:_|::)(relaxed|consume|acquire|release|acq_rel|seq_cst)\b'
                   r'|\b__ATOMIC_(RELAXED|CONSUME|ACQUIRE|RELEASE|ACQ_REL|SEQ_CST)\b')
MEMBER = re.compile(
    r'(?<![\w:<])(?:std::atomic\s*<[^;{}()]*>|std::atomic_\w+|Word)\s+(\w+_)\s*[{;=\[]')
# What stands before or after the name of an atomic that is used like a plain variable. Passing it
# on by reference, and binding a reference to it, are fine.
USED_BEFORE = re.compile(
    r'(?:\+\+|--|!|[=!<>]=|\breturn|\b(?:if|while) \(|[^&]\s\w+\s=)\s*$')
USED_AFTER = re.compile(r'\s*(?:\+\+|--|[-+|&^]?=|[!<>]=|&&|\|\||\s[-+*/%<>|^&?]\s)')
MEMBER_CALL = re.compile(r'\s*(?:\[[^]]*\]\s*)?\.')
EDGE = re.compile(r'\[([a-z][a-z0-9_-]*)\]')
LISTED_EDGE = re.compile(r'// {1,4}\[([a-z][a-z0-9_-]*)\]')  # more is the text of another
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)

RELEASING = {'release', 'acq_rel', 'seq_cst'}
ACQUIRING = {'acquire', 'consume', 'acq_rel', 'seq_cst'}
LIBRARY = ('include/thrum', 'src/waist', 'src/threading')


def unit_of(name):
    """x.h and x.cpp are one unit, also when a public header is apart from its source."""
    folder, _, file = name.rpartition('/')
    return ('library' if folder in LIBRARY else folder, file.split('.')[0])


def units_seen_by(source):
    """The file's own unit, then those of the headers it includes."""
    yield unit_of(source.name)
    for header in INCLUDE.findall(source.text):
        yield unit_of(('include/' if header.startswith('thrum/') else 'src/') + header)


def check_calls(source):
    for match in CALL.finditer(source.code):
        arguments = source.code[match.start(2):source.end_of_call(match.start(2))]
        needed = 2 if match[1].startswith('compare_exchange') else 1
        if len(ORDER.findall(arguments)) < needed:
            both = 'both its memory orders' if needed == 2 else 'its memory order'
            yield source.at(source.line(match.start(1)), f'{match[1]}() must write {both}')
    for match in FREE_CALL.finditer(source.code):
        yield source.at(source.line(match.start()),
                        f'{match[0].rstrip("( ")}(): call the member, with its memory order')


def check_operators(source, members):
    """The operators and conversions of std::atomic, which are seq_cst without saying so."""
    declared = {match.start(1) for match in MEMBER.finditer(source.code)}
    for name in sorted(members):
        for match in re.finditer(rf'\b{name}\b', source.code):
            before, after = source.code[:match.start()][-80:], source.code[match.end():][:80]
            if match.start() in declared or MEMBER_CALL.match(after):
                continue
            if USED_BEFORE.search(before) or USED_AFTER.match(after):
                yield source.at(source.line(match.start()),
                                f'{name} is atomic: call a member, with its memory order')


def listed_edges(source):
    """Yields (edge, line) for each entry of a list that begins with `// Edges`."""
    inside = False
    for line in range(1, len(source.code_lines) + 1):
        comment = source.comments.get(line, '') if source.is_comment_line(line) else ''
        if re.fullmatch(r'//\s*Edges\s*', comment):
            inside = True
        elif not comment:
            inside = False
        elif inside and (match := LISTED_EDGE.match(comment)):
            yield match[1], line


def edges_at(source, position):
    """Returns the edges that the comments around an order name."""
    line = source.line(position)
    begin = max(source.code.rfind(mark, 0, position) for mark in ';{}') + 1
    end = re.compile('[;{]|$(?!\\n)').search(source.code, position).start()
    top = source.line(re.compile(r'\S').search(source.code, begin).start())
    bottom = source.line(end)
    above = []
    for number in range(top - 1, 0, -1):
        if not source.is_comment_line(number):
            break
        above.append(number)
    for lines in ([line], range(top, bottom + 1), above):
        edges = [edge for number in lines for edge in EDGE.findall(source.comments.get(number, ''))]
        if edges:
            return edges
    return []


def check(root):
    sources = list(cpp_source.sources(root))
    findings = []
    members = collections.defaultdict(set)  # unit -> its atomic members
    listed = {}                             # (unit, edge) -> (source, line)
    ends = collections.defaultdict(set)     # (unit, edge) -> the orders at its sites

    for source in sources:
        unit = unit_of(source.name)
        members[unit].update(MEMBER.findall(source.code))
        for edge, line in listed_edges(source):
            if (unit, edge) in listed:
                other, other_line = listed[unit, edge]
                findings.append(source.at(line, f'[{edge}] is listed twice, first at '
                                                f'{other.name}:{other_line}'))
            listed.setdefault((unit, edge), (source, line))

    for source in sources:
        unit = unit_of(source.name)
        findings += check_calls(source)
        findings += check_operators(source, members[unit])
        for match in ORDER.finditer(source.code):
            order, line = (match[1] or match[2]).lower(), source.line(match.start())
            if order == 'relaxed':
                continue
            edges = edges_at(source, match.start())
            if not edges:
                findings.append(source.at(line, f'{order} names no [edge]'))
            for edge in edges:
                owner = next((seen for seen in units_seen_by(source) if (seen, edge) in listed),
                             None)
                if owner:
                    ends[owner, edge].add(order)
                else:
                    findings.append(source.at(line, f'[{edge}] is not listed under // Edges, here '
                                                    f'or in {unit[1]}.h or in what this includes'))

    for (unit, edge), (source, line) in listed.items():
        orders = ends[unit, edge]
        if not orders:
            findings.append(source.at(line, f'[{edge}] has no site'))
        elif not orders & RELEASING:
            findings.append(source.at(line, f'[{edge}] has no releasing end'))
        elif not orders & ACQUIRING:
            findings.append(source.at(line, f'[{edge}] has no acquiring end'))
    return findings


if __name__ == '__main__':
    sys.exit(cpp_source.main(check))
