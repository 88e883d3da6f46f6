# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Axes: from figures to places, and the figures to write beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class LogScale:
    """Equal ratios are equal distances; `low` lies at `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where `value` lies."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)


def log_scale(values: list[float], start: float, end: float) -> LogScale:
    """A scale for positive values with some room around them."""
    low, high = min(values), max(values)
    room = max(1.1, (high / low) ** 0.06)
    return LogScale(low / room, high * room, start, end)


def byte_ticks(scale: LogScale, most: int) -> list[int]:
    """At most `most` powers of two on the scale, or steps of one if there are not two of them."""
    found = _thin([2**n for n in range(48) if scale.low <= 2**n <= scale.high], most)
    return found if len(found) > 1 else _even(scale, most, [2**n for n in range(48)])


def decimal_ticks(scale: LogScale, most: int) -> list[int]:
    """At most `most` of 1, 2, 5, 10, ... on the scale, or steps of one if there are not two."""
    steps = [m * 10**n for n in range(15) for m in (1, 2, 5)]
    found = _thin([step for step in steps if scale.low <= step <= scale.high], most)
    return found if len(found) > 1 else _even(scale, most, steps)


def _even(scale: LogScale, most: int, steps: list[int]) -> list[int]:
    """Multiples of the smallest of `steps` of which few are on the scale: each has many digits."""
    for step in steps:
        first, last = math.ceil(scale.low / step), math.floor(scale.high / step)
        if last - first < min(most, 5):
            return [step * n for n in range(first, last + 1)]
    return []


def linear_ticks(high: float, most: int) -> list[int]:
    """At most about `most` powers of two times a whole number, from 0 to `high`."""
    step = 1
    while high / step > most:
        step *= 2
    return list(range(0, int(high) + 1, step))


def short(value: float) -> str:
    """A large number in few characters: 1.2 M, 350 k."""
    for factor, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= factor:
            return f"{value / factor:.3g}{unit}"
    return f"{value:.0f}"


def short_bytes(value: float) -> str:
    """Bytes in few characters: 1.5 KiB."""
    if value >= 1 << 20:
        return f"{value / (1 << 20):.3g} MiB"
    # Below 1000 KiB three digits are enough.
    return f"{value / 1024:.4g} KiB" if value >= 1000 * 1024 else _kibibytes(value)


def _kibibytes(value: float) -> str:
    return f"{value / 1024:.3g} KiB" if value >= 1024 else f"{value:.0f} B"


def _thin(ticks: list[int], most: int) -> list[int]:
    return ticks[:: math.ceil(len(ticks) / most)] if ticks else []
