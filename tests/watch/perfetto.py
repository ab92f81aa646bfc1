# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Reads a Perfetto trace by the published field numbers, on its own: what the writer thinks of them
does not count here. github.com/google/perfetto, protos/perfetto/trace."""

import collections
import struct


def fields(data):
    """Yields (number, value): an integer, or bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        tag = varint()
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            yield number, varint()
        elif wire == 1:
            yield number, struct.unpack_from('<Q', data, at)[0]
            at += 8
        elif wire == 2:
            size = varint()
            if at + size > len(data):
                raise ValueError('a field is longer than its message')
            yield number, data[at:at + size]
            at += size
        else:
            raise ValueError(f'wire type {wire}')


def one(data, number, default=None):
    return next((value for field, value in fields(data) if field == number), default)


Slice = collections.namedtuple('Slice', 'begin end name category notes flows_in')
Instant = collections.namedtuple('Instant', 'when track name flows')


class Trace:
    def __init__(self, data):
        self.processes, self.threads, self.counters = {}, {}, {}
        self.slices = collections.defaultdict(list)
        self.values = collections.defaultdict(list)
        self.instants, self._open = [], {}
        self._strings = collections.defaultdict(dict)  # InternedData field -> iid -> string
        self._packets = 0
        for number, packet in fields(data):
            assert number == 1, 'Trace.packet'
            self._packet(packet)
        assert not self._open, 'a slice does not end'

    def _packet(self, packet):
        message = dict(fields(packet))
        assert message[10] == 1, 'trusted_packet_sequence_id'
        if self._packets == 0:
            assert message[13] == 1, 'SEQ_INCREMENTAL_STATE_CLEARED first'
        self._packets += 1
        for kind, entry in fields(message.get(12, b'')):
            assert kind in (1, 2, 3, 29), 'InternedData'
            entry = dict(fields(entry))
            assert entry[1] not in self._strings[kind], 'an iid is given twice'
            self._strings[kind][entry[1]] = entry[2].decode()
        if 60 in message:
            self._descriptor(dict(fields(message[60])))
        if 11 in message:
            assert message[13] == 2, 'SEQ_NEEDS_INCREMENTAL_STATE'
            self._event(message[8], list(fields(message[11])))

    def _descriptor(self, track):
        uuid = track[1]
        assert uuid not in self.processes and uuid not in self.threads, 'a uuid is given twice'
        if 3 in track:
            self.processes[uuid] = (one(track[3], 1), one(track[3], 6).decode())
        elif 4 in track:
            assert track[5] in self.processes
            self.threads[uuid] = (one(track[4], 1), one(track[4], 2), one(track[4], 5).decode())
        elif 8 in track:
            self.counters[uuid] = track[2].decode()
        else:
            raise ValueError('a track of nothing')

    def _event(self, when, event):
        values = dict(event)
        kind, track = values[9], values[11]
        name = self._strings[2].get(values.get(10))
        if kind == 1:
            assert track in self.threads and track not in self._open
            notes = {}
            for number, value in event:
                if number == 4:
                    notes[self._strings[3][one(value, 1)]] = self._strings[29][one(value, 17)]
            flows = [value for number, value in event if number == 48]
            self._open[track] = (when, name, self._strings[1][values[3]], notes, flows)
        elif kind == 2:
            begin, *rest = self._open.pop(track)
            self.slices[track].append(Slice(begin, when, *rest))
        elif kind == 3:
            flows = [value for number, value in event if number == 47]
            self.instants.append(Instant(when, track, name, flows))
        elif kind == 4:
            assert track in self.counters
            self.values[track].append((when, values.get(30, 0)))
        else:
            raise ValueError(f'TrackEvent.type {kind}')
