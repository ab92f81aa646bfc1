# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""What the command says about itself, and about how it was called."""

import command


class Help(command.TestCase):
    def assert_usage_error(self, golden, *args):
        run = command.thrum(*args)
        self.assertEqual((run.returncode, run.stdout), (2, ''))
        self.assertEqual(run.stderr.count('\n'), 1, run.stderr)
        self.assert_golden(golden, run.stderr)

    def test_help_goes_to_stdout(self):
        run = command.thrum('--help')
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        self.assert_golden('help.txt', run.stdout)

    def test_no_command_shows_help_and_is_a_usage_error(self):
        run = command.thrum()
        self.assertEqual((run.returncode, run.stdout), (2, command.thrum('--help').stdout))

    def test_help_of_tour(self):
        run = command.thrum('tour', '--help')
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        self.assert_golden('tour_help.txt', run.stdout)

    def test_help_of_the_tools(self):
        for name in ('watch', 'report', 'check', 'replay'):
            run = command.thrum(name, '--help')
            self.assertEqual((run.returncode, run.stderr), (0, ''))
            self.assert_golden(f'{name}_help.txt', run.stdout)

    def test_no_line_of_help_is_wider_than_a_terminal(self):
        for args in (['--help'], ['tour', '--help'], ['watch', '--help'], ['report', '--help'],
                     ['check', '--help'], ['replay', '--help']):
            for line in command.thrum(*args).stdout.splitlines():
                self.assertLessEqual(len(line), 80, line)

    def test_version(self):
        run = command.thrum('--version')
        self.assertEqual(run.returncode, 0)
        self.assertRegex(run.stdout, r'^thrum \d+\.\d+\.\d+\n$')

    def test_unknown_command(self):
        self.assert_usage_error('unknown_command.txt', 'bogus')

    def test_unknown_option(self):
        self.assert_usage_error('unknown_option.txt', 'tour', '--bogus')

    def test_unknown_section(self):
        self.assert_usage_error('unknown_section.txt', 'tour', '--only', 'bogus')

    def test_workers_out_of_range(self):
        self.assert_usage_error('workers_0.txt', 'tour', '--workers', '0')
        self.assert_usage_error('workers_1025.txt', 'tour', '--workers', '1025')
        self.assert_usage_error('workers_many.txt', 'tour', '--workers', 'many')

    def test_path_that_does_not_exist(self):
        self.assert_usage_error('no_path.txt', 'tour', '/no/such\nplace')

    def test_path_that_is_a_device(self):
        self.assert_usage_error('device.txt', 'tour', '/dev/null')

    def test_a_second_path(self):
        self.assert_usage_error('second_path.txt', 'tour', '/', '/tmp')

    def test_full_disk(self):
        with open('/dev/full', 'w', encoding='utf-8') as full:
            run = command.subprocess.run([command.THRUM, 'tour', '--only', 'event'], stdout=full,
                                         stderr=command.subprocess.PIPE, text=True, check=False)
        self.assertEqual(run.returncode, 3)
        self.assertEqual(run.stderr, 'thrum: standard output: No space left on device\n')


if __name__ == '__main__':
    command.main()
