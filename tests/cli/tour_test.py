# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""The sections of the tour: what they tell, as text and as JSON."""

import json
import pathlib
import re
import tempfile

import command

SECTIONS = ['thread', 'lifecycle', 'structure', 'scheduler', 'lock', 'semaphore',
            'bounded-semaphore', 'event', 'condition', 'queue']


class Tour(command.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, 'file').write_text('one two\n')
            cls.run_ = command.thrum('tour', folder, '--json')
        cls.document = json.loads(cls.run_.stdout)

    def test_it_happens_as_the_founding_readme_says(self):
        odd = [(name, step) for name, section in self.document['sections'].items()
               for step in section['steps'] if step['verdict'] == 'odd']
        self.assertEqual(odd, [])
        self.assertEqual((self.run_.returncode, self.run_.stderr), (0, ''))
        self.assertTrue(self.document['ok'])

    def test_sections_come_in_the_order_of_the_founding_readme(self):
        self.assertEqual(list(self.document['sections']), SECTIONS)

    def test_each_section_has_these_facts(self):
        keys = {name: list(section['facts']) for name, section in self.document['sections'].items()}
        self.assert_golden('facts.txt', json.dumps(keys, indent=1) + '\n')

    def test_each_section_runs_this_code(self):
        code = ''
        for name, section in self.document['sections'].items():
            code += f'{section["number"]} {name}\n'
            for step in section['steps']:
                # `affinity` is left out where threads may not be bound.
                code += ''.join(f'  {line}\n' for line in step['code']).replace(
                    ', .affinity = {cpu}', '')
        self.assert_golden('code.txt', code)

    def test_the_document_on_the_tour_shows_code_that_runs(self):
        code = {line for section in self.document['sections'].values()
                for step in section['steps'] for line in step['code']}
        text = (command.ROOT / 'docs/tour.md').read_text(encoding='utf-8')
        shown = re.findall(r'^  (\S.*)\n(?:    )', text, re.MULTILINE)
        self.assertGreater(len(shown), 20)
        for line in shown:
            if not line.startswith('$'):
                self.assertIn(line, code)

    def test_one_section_only(self):
        for name in SECTIONS[:-1]:
            with self.subTest(name):
                run = command.thrum('tour', '--only', name, '--json')
                self.assertEqual(list(json.loads(run.stdout)['sections']), [name])
                self.assertEqual((run.returncode, run.stderr), (0, ''))

    def test_some_sections_only(self):
        for args in (['--only', 'lock', '--only', 'event'], ['--only', 'event,lock']):
            run = command.thrum('tour', *args, '--json')
            self.assertEqual(list(json.loads(run.stdout)['sections']), ['lock', 'event'])

    def test_the_path_may_follow_only(self):
        with tempfile.TemporaryDirectory() as folder:
            run = command.thrum('tour', '--only', 'queue', folder, '--json')
            self.assertEqual(command.facts_of(run)['path'], folder)

    def test_text_and_json_tell_the_same(self):
        # Steps without a measured figure read the same in every run.
        text = command.thrum('tour', '--only', 'bounded-semaphore').stdout
        flat = ' '.join(text.split())
        for step in self.document['sections']['bounded-semaphore']['steps']:
            self.assertIn(' '.join(step['text'].split()), flat)
            for line in step['code']:
                self.assertIn(' '.join(line.split()), flat)

    def test_plain_where_nobody_looks(self):
        text = command.thrum('tour', '--only', 'thread').stdout
        self.assertNotIn('\x1b', text)
        self.assertNotIn('\r', text)
        self.assertIn('✓', text)
        for line in text.splitlines():
            self.assertLessEqual(len(line), 100)

    def test_ascii_where_the_locale_is(self):
        self.assertTrue(command.thrum('tour', '--only', 'lifecycle', LC_ALL='C').stdout.isascii())


if __name__ == '__main__':
    command.main()
