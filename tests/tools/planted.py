# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""A source tree with planted errors, and what a lint says about it."""

import pathlib
import tempfile
import unittest


class LintTest(unittest.TestCase):
    check = None  # staticmethod: the lint, root -> findings

    def findings(self, files):
        """Lints a tree given as {path: text}."""
        with tempfile.TemporaryDirectory() as folder:
            for folder_of_sources in ('include', 'src'):
                (pathlib.Path(folder) / folder_of_sources).mkdir()
            for name, text in files.items():
                path = pathlib.Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding='utf-8')
            return self.check(folder)

    def assert_clean(self, files):
        self.assertEqual(self.findings(files), [])

    def assert_found(self, files, *expected):
        """`expected`: (path:line, part of the reason) for each finding, in order."""
        found = self.findings(files)
        self.assertEqual(len(found), len(expected), found)
        for finding, (place, reason) in zip(found, expected):
            self.assertTrue(finding.startswith(place + ': '), finding)
            self.assertIn(reason, finding)
