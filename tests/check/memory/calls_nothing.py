#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""The detector's library defines all that it uses.

  calls_nothing.py NM LIBRARY
"""

import subprocess
import sys

# What position-independent code is linked through, and not a function.
ALLOWED = {'_GLOBAL_OFFSET_TABLE_'}


def main():
    nm, library = sys.argv[1:]
    output = subprocess.run([nm, library], check=True, capture_output=True, text=True).stdout
    symbols = [line.split() for line in output.splitlines()]
    defined = {fields[2] for fields in symbols if len(fields) == 3}
    undefined = {fields[1] for fields in symbols if len(fields) == 2 and fields[0] in 'Uwv'}
    assert defined, f'{nm} lists no symbols of {library}'
    needed = undefined - defined - ALLOWED
    if needed:
        sys.exit(f'{library} needs {", ".join(sorted(needed))}')


main()
