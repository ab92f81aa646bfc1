# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""As much of an xterm as ncurses makes use of: what is on the screen after some output."""

import codecs
import re

SEQUENCE = re.compile(r'\x1b(?:\[([?>]?)([0-9;]*)([@-~])|[()][0-9A-Z]|\][^\x07]*\x07|([=>78MDEc]))')
UNFINISHED = re.compile(r'\x1b(?:\[[?>]?[0-9;]*|[()]|\][^\x07]*)?$')


class Screen:
    def __init__(self, rows, columns):
        self.rows, self.columns, self.past = rows, columns, []
        self.y = self.x = 0
        self._decoder = codecs.getincrementaldecoder('utf-8')('replace')
        self._rest, self._last, self._saved = '', ' ', (0, 0)
        self.cells = [[' '] * columns for _ in range(rows)]
        self.top, self.bottom = 0, rows - 1

    def resize(self, rows, columns):
        cells = [(row + [' '] * columns)[:columns] for row in self.cells]
        self.cells = (cells + [[' '] * columns for _ in range(rows)])[:rows]
        self.rows, self.columns, self.top, self.bottom = rows, columns, 0, rows - 1
        self.y, self.x = min(self.y, rows - 1), min(self.x, columns - 1)

    @property
    def text(self):
        return '\n'.join(''.join(row).rstrip() for row in self.past + self.cells)

    def feed(self, data):
        text, self._rest = self._rest + self._decoder.decode(data), ''
        at = 0
        while at < len(text):
            if text[at] != '\x1b':
                self._put(text[at])
                at += 1
            elif found := SEQUENCE.match(text, at):
                self._obey(found)
                at = found.end()
            elif UNFINISHED.match(text, at):
                self._rest = text[at:]
                return
            else:
                raise ValueError(f'unknown: {text[at:at + 20]!r}')

    def _scroll(self, n):
        for _ in range(abs(n)):
            if n > 0:
                row = self.cells.pop(self.top)
                self.cells.insert(self.bottom, [' '] * self.columns)
                if self.top == 0:
                    self.past.append(row)
            else:
                self.cells.pop(self.bottom)
                self.cells.insert(self.top, [' '] * self.columns)

    def _down(self):
        if self.y == self.bottom:
            self._scroll(1)
        elif self.y < self.rows - 1:
            self.y += 1

    def _put(self, c):
        if c == '\r':
            self.x = 0
        elif c == '\n':
            self._down()
        elif c == '\b':
            self.x = max(0, self.x - 1)
        elif c == '\t':
            self.x = min(self.columns - 1, (self.x | 7) + 1)
        elif c >= ' ':
            if self.x == self.columns:
                self.x = 0
                self._down()
            self.cells[self.y][self.x] = self._last = c
            self.x += 1

    def _obey(self, found):
        private, numbers, what, short = found.groups()
        if short == 'M':
            if self.y == self.top:
                self._scroll(-1)
            else:
                self.y -= 1
        elif short == '7':
            self._saved = (self.y, self.x)
        elif short == '8':
            self.y, self.x = self._saved
        if what is None:
            return
        n = [int(number or 0) for number in numbers.split(';')]
        one = max(1, n[0])
        row = self.cells[self.y]
        if private:
            if n[0] == 1049:  # another screen, or back
                self.cells = [[' '] * self.columns for _ in range(self.rows)]
        elif what in 'Hf':
            self.y, self.x = min(self.rows, one) - 1, min(self.columns, max(1, (n + [1])[1])) - 1
        elif what in 'ABCD':
            self.y += {'A': -one, 'B': one}.get(what, 0)
            self.x = min(self.x, self.columns - 1) + {'D': -one, 'C': one}.get(what, 0)
            self.y, self.x = min(max(self.y, 0), self.rows - 1), min(max(self.x, 0), self.columns - 1)
        elif what == 'G':
            self.x = min(one, self.columns) - 1
        elif what == 'd':
            self.y = min(one, self.rows) - 1
        elif what == 'J':
            for y in range(self.y if n[0] == 0 else 0, self.rows):
                start = self.x if (y, n[0]) == (self.y, 0) else 0
                self.cells[y][start:] = [' '] * (self.columns - start)
        elif what == 'K':
            start, end = {0: (self.x, self.columns), 1: (0, self.x + 1), 2: (0, self.columns)}[n[0]]
            row[start:end] = [' '] * (end - start)
        elif what == 'X':
            end = min(self.columns, self.x + one)
            row[self.x:end] = [' '] * (end - self.x)
        elif what == 'b':
            for _ in range(one):
                self._put(self._last)
        elif what == '@':
            row[self.x:] = ([' '] * one + row[self.x:])[:self.columns - self.x]
        elif what == 'P':
            row[self.x:] = (row[self.x + one:] + [' '] * one)[:self.columns - self.x]
        elif what in 'LM':
            top, self.top = self.top, self.y
            before = len(self.past)
            self._scroll(one if what == 'M' else -one)
            del self.past[before:]
            self.top = top
        elif what in 'ST':
            self._scroll(one if what == 'S' else -one)
        elif what == 'r':
            self.top, self.bottom = one - 1, (n + [0])[1] - 1 if len(n) > 1 else self.rows - 1
            self.y = self.x = 0
        elif what not in 'mhlnct':
            raise ValueError(f'unknown: {found[0]!r}')
