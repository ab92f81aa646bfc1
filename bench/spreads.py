# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Median, and where the middle 80 percent lie."""

import statistics


def spread(values):
    """p10, median, p90, interpolated as thrum_bench does."""
    values = sorted(values)

    def at(share):
        where = share * (len(values) - 1)
        low = int(where)
        high = min(low + 1, len(values) - 1)
        return values[low] + (values[high] - values[low]) * (where - low)

    return at(0.1), statistics.median(values), at(0.9)


def spread_of(values):
    low, median, high = spread(values)
    return {'median': median, 'p10': low, 'p90': high}
