# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Takes the data out of a page, without the page's own script."""

import base64
import collections
import json
import re
import struct
import zlib

STATES = ('new', 'ready', 'running', 'runnable', 'blocked', 'kernel', 'others', 'asleep', 'call')
NAMED = (4, 6, 7, 8)
Slice = collections.namedtuple('Slice', 'begin end state object site holder waker woken')


def read(text):
    """Returns the page's JSON and, by lane, its slices in nanoseconds."""
    [packed] = re.findall(r'<script type="application/octet-stream" id="data">([^<]*)</script>', text)
    data = zlib.decompress(base64.b64decode(packed, validate=True))
    [size] = struct.unpack_from('<I', data)
    model = json.loads(data[4:4 + size])
    at = 4 + size

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    heads = [(number(), number()) for _ in model['threads']]
    lengths = [[number() for _ in range(n)] for n, _ in heads]
    states = [[number() for _ in range(n)] for n, _ in heads]
    named = [(lane, i) for lane, row in enumerate(states) for i, state in enumerate(row) if state in NAMED]
    objects, sites, holders, wakers = ({key: number() for key in named} for _ in range(4))
    woken = {key: number() for key in named if wakers[key]}
    assert at == len(data), 'there is more, or less'
    lanes = []
    for lane, (_, now) in enumerate(heads):
        row = []
        for i, length in enumerate(lengths[lane]):
            key, end = (lane, i), now + length
            q = model['quantum']
            row.append(Slice(now * q, end * q, STATES[states[lane][i]],
                             model['objects'][objects[key]] if key in objects else None,
                             model['sites'][sites[key]] if key in sites else None,
                             holders.get(key, 0), wakers.get(key, 0),
                             (end - woken[key]) * q if key in woken else None))
            now = end
        lanes.append(row)
    return model, lanes
