# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Functions of one variable, known by their samples.

Exporters spell GELU in a dozen ways. Instead of matching each, the importer carries a function
along as samples on a grid, lets elementwise nodes act on the samples, and looks at the end which
known function they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tinyformer.reference.real import FUNCTIONS, Reals

Samples = NDArray[np.float64]

# Symmetric, with zero, and with steps that binary floating point represents exactly.
GRID: Samples = np.linspace(-8.0, 8.0, 257)
TOLERANCE = 2e-5


@dataclass(frozen=True, eq=False)
class Function:
    """A function by its values on GRID; `name` is that of the last node that took part in it."""

    samples: Samples
    name: str = ""

    @cached_property
    def affine(self) -> tuple[float, float] | None:
        """(a, b) if the function is a·x + b."""
        if not np.isfinite(self.samples).all():
            return None
        slope = float(self.samples[-1] - self.samples[0]) / float(GRID[-1] - GRID[0])
        offset = float(self.samples[len(GRID) // 2])
        error = np.abs(slope * GRID + offset - self.samples).max()
        return (slope, offset) if error <= 1e-9 * max(1.0, abs(slope), abs(offset)) else None

    @property
    def is_identity(self) -> bool:
        """Whether the function changes nothing."""
        return self.affine == (1.0, 0.0)

    def equals(self, other: Function) -> bool:
        """Whether both have the same samples."""
        return np.array_equal(self.samples, other.samples, equal_nan=True)


def affine(slope: float, offset: float = 0.0, name: str = "") -> Function:
    """x ↦ slope·x + offset."""
    return Function(slope * GRID + offset, name)


IDENTITY = affine(1.0)


KNOWN: dict[str, Callable[[Samples], Reals]] = {
    name: function for name, function in FUNCTIONS.items() if name != "identity"
}


@dataclass(frozen=True)
class Match:
    """gain·function(factor·x), and its largest distance from the samples."""

    function: str
    factor: float
    gain: float
    error: float


def recognise(function: Function) -> Match | None:
    """The known function that is closest to the samples; None if they are not all finite."""
    if not np.isfinite(function.samples).all() or not function.samples.any():
        return None
    plain = min((_fit(name, 1.0, function.samples) for name in KNOWN), key=_error)
    if is_exact(plain, function):
        return plain
    return min((_search(name, function.samples) for name in KNOWN), key=_error)


def is_exact(match: Match, function: Function) -> bool:
    """Whether both differ by no more than the roundings of constants."""
    size = float(np.abs(function.samples).max()) / float(GRID[-1])
    return match.error <= TOLERANCE * max(1.0, size)


def _error(match: Match) -> float:
    return match.error


def _fit(name: str, factor: float, samples: Samples) -> Match:
    """The best gain for a given factor, by least squares."""
    values = KNOWN[name](factor * GRID)
    gain = float(values @ samples / (values @ values))
    error = float(np.abs(samples - gain * values).max())
    if abs(gain - 1.0) < 1e-6:
        gain = 1.0
    return Match(name, factor, gain, error)


def _search(name: str, samples: Samples) -> Match:
    """The best factor: a coarse grid of powers, then golden sections around its minimum."""
    exponents = np.linspace(-5.0, 5.0, 81)
    step = float(exponents[1] - exponents[0])
    starts = [(sign, float(e)) for sign in (1.0, -1.0) for e in exponents]
    sign, best = min(starts, key=lambda s: _fit(name, s[0] * 2.0 ** s[1], samples).error)
    low, high = best - step, best + step
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(60):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        lower = _fit(name, sign * 2.0**left, samples).error
        if lower < _fit(name, sign * 2.0**right, samples).error:
            high = right
        else:
            low = left
    return _fit(name, sign * 2.0 ** ((low + high) / 2), samples)
