#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""The code that a reader copies from the documents is built and run; what they name exists."""
import fnmatch
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r'```cpp\n(.*?)```', re.DOTALL)
FENCED = re.compile(r'```.*?```|`[^`]*`', re.DOTALL)


def blocks(document):
    return BLOCK.findall((ROOT / document).read_text())


class DocumentsShowExamples(unittest.TestCase):
    def assert_shown(self, document, example, first_line):
        source = (ROOT / 'examples' / example).read_text()
        shown = [block for block in blocks(document) if block.startswith(first_line)]
        self.assertEqual(len(shown), 1, f'{document} has one block that starts with {first_line}')
        self.assertIn(shown[0].strip(), source, f'{document} shows other code than {example}')

    def test_readme(self):
        self.assert_shown('README.md', 'jobs.cpp', '#include <thrum/threading.h>')

    def test_waist(self):
        self.assert_shown('docs/waist.md', 'latch.cpp', 'class Latch')

    def test_links_of_the_documents_lead_somewhere(self):
        for document in [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *ROOT.glob('docs/**/*.md')]:
            for link in re.findall(r'\]\(([^)#]+)\)', FENCED.sub('', document.read_text())):
                if '://' not in link:
                    with self.subTest(document=document.name, link=link):
                        self.assertTrue((document.parent / link).exists())

    def test_the_table_of_hard_bugs_names_tests_that_exist(self):
        tests = set()
        for source in ROOT.glob('tests/**/*.cpp'):
            tests.update(re.findall(r'^(?:TEST|TEST_F|TEST_P|TYPED_TEST)\((\w+),\s+(\w+)\)',
                                    source.read_text(), re.MULTILINE))
        models = {path.stem for path in ROOT.glob('tests/model/ok/*.cpp')}
        suite = '*'
        for row in re.findall(r'^\| (\d+ \|.*)$', (ROOT / 'tests/README.md').read_text(), re.MULTILINE):
            for name in re.findall(r'`([^`]+)`', row.split('|')[2]):
                with self.subTest(row=row.split('|')[0], name=name):
                    if name.startswith('model/'):
                        self.assertIn(name.removeprefix('model/'), models)
                    elif '.' in name:
                        suite = name.split('.')[0] or suite
                        one = name.split('.')[1]
                        self.assertTrue(any(fnmatch.fnmatch(s, suite) and fnmatch.fnmatch(t, one)
                                            for s, t in tests))


if __name__ == '__main__':
    unittest.main()
