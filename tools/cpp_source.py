# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""What the lints share: C++ files with code and comments told apart, and how findings are shown."""

import pathlib
import re
import sys

_COMMENT_OR_LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/'
    r'|R"(?P<delimiter>\w*)\(.*?\)(?P=delimiter)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",  # not the separator of 1'000
    re.DOTALL)


class Source:
    """One file. `code` has blanks for comments and literals, so that every position is kept."""

    def __init__(self, root, path):
        self.text = path.read_text(encoding='utf-8')
        self.name = path.relative_to(root).as_posix()
        self.comments = {}  # line -> text of its // comment

        def blank(match):
            if match[0].startswith('//'):
                self.comments[self.line(match.start())] = match[0]
            return re.sub(r'[^\n]', ' ', match[0])

        self.code = _COMMENT_OR_LITERAL.sub(blank, self.text)
        self.code_lines = self.code.split('\n')

    def line(self, position):
        return self.text.count('\n', 0, position) + 1

    def at(self, line, why):
        return f'{self.name}:{line}: {why}'

    def is_comment_line(self, line):
        return line in self.comments and not self.code_lines[line - 1].strip()

    def end_of_call(self, open_parenthesis):
        """Returns the position after the parenthesis that closes this one."""
        depth = 0
        for position in range(open_parenthesis, len(self.code)):
            depth += {'(': 1, ')': -1}.get(self.code[position], 0)
            if depth == 0:
                return position + 1
        return len(self.code)


def sources(root):
    """Yields the sources of the library and the tools, in a fixed order."""
    root = pathlib.Path(root)
    for folder in ('include', 'src'):
        for path in sorted((root / folder).rglob('*')):
            if path.suffix in ('.h', '.c', '.cpp', '.def'):
                yield Source(root, path)


def main(check):
    """Runs `check(root)`, a list of findings; the root is the first argument or this project."""
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    findings = check(root)
    for finding in findings:
        print(finding, file=sys.stderr)
    return 1 if findings else 0
