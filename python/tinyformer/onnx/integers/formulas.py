# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The arithmetic of the integer dialect that is done when a model is read, in numpy.

That is RequantShift, iGELU and the tables of both softmaxes. What only rows of data decide - the
divisions of iSoftmax, ITAMax and iLayerNorm - is defined by `tinyformer.reference.integer_dialect`,
and IntegerMean by `requantisation.of_mean`. docs/numerics.md, section 10, has all of them.

⌊x⌋ rounds towards minus infinity, trunc(x) towards zero. Sources: QuantLib and Deeploy (Scherer et
al., arXiv 2408.04413), I-BERT (Kim et al., arXiv 2101.01321), ITA (Islamoglu et al., arXiv
2307.03493).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Array = npt.NDArray[Any]

# The values of a signed byte, in the order of tables.
SIGNED = np.arange(-128, 128, dtype=np.int64)
# Differences of two bytes.
DISTANCES = np.arange(256, dtype=np.int64)


@dataclass(frozen=True)
class Levels:
    """What the integers of a result can be: `count` of them, from -count/2 or from 0 on."""

    count: int
    signed: bool

    @property
    def low(self) -> int:
        """The smallest."""
        return -(self.count // 2) if self.signed else 0

    @property
    def high(self) -> int:
        """The largest."""
        return self.low + self.count - 1

    def clip(self, values: Ints) -> Ints:
        """The nearest level of each value."""
        return np.clip(values, self.low, self.high)


@dataclass(frozen=True, eq=False)
class Requantisation:
    """RequantShift: clip(⌊(x·mul + add + 2^shift/2) / 2^shift⌋)."""

    mul: Ints
    add: Ints
    shift: int
    levels: Levels

    def __call__(self, x: Ints) -> Ints:
        """The result for every element of x; `mul` and `add` broadcast."""
        half = (1 << self.shift) >> 1
        return self.levels.clip((x * self.mul + self.add + half) >> self.shift)


def gelu(x: Ints, b: int, one: int) -> Ints:
    """iGELU: x·⌊(one + L)/2⌋ with L = sign(x)·(one - (min(|x|, -b) + b)²), 32 bits."""
    slope = np.sign(x) * (one - (np.minimum(np.abs(x), -b) + b) ** 2)
    result: Ints = x * ((one + slope) >> 1)
    return result


def softmax_exponentials(log2: int, a: int, b: int, c: int) -> Ints:
    """iSoftmax: the exponential of each distance d from the row's maximum.

    With z = min(⌊d/log2⌋, 31) and p = z·log2 - d: ⌊(a·(p + b)² + c) / 2^z⌋.
    """
    halvings = np.minimum(DISTANCES // log2, 31)
    rest = halvings * log2 - DISTANCES
    exponentials: Ints = (a * (rest + b) ** 2 + c) >> halvings
    return exponentials


def itamax_shifts() -> Ints:
    """ITAMax: the halvings of each distance d from the row's maximum, (d + 16) >> 5."""
    return (DISTANCES + 16) >> 5
