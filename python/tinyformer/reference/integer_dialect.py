# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The formulas of `integer_softmax` and `integer_layernorm`: another dialect's bits.

They are not those of `softmax` and `layernorm`. Sources are named in the descriptions of the ops.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tinyformer.reference.integer import Array, BoundError, Bytes, Ints, clamp


def distances(x: Array) -> Ints:
    """How far each element is below the maximum of its row."""
    wide = x.astype(np.int64)
    result: Ints = wide.max(axis=-1, keepdims=True) - wide
    return result


def softmax_by_division(x: Array, table: Array, levels: int) -> Bytes:
    """iSoftmax: floor(e * (levels - 1) / sum(e)), e from the table, unsigned bytes."""
    exponentials = table.view(np.uint32).astype(np.int64)[distances(x)]
    products = _fits_unsigned(exponentials * (levels - 1), "a product of an exponential")
    sums = _fits_unsigned(exponentials.sum(axis=-1, keepdims=True), "the sum of a row")
    return _unsigned(products // sums)


def softmax_by_shift(x: Array, table: Array, levels: int) -> Bytes:
    """ITAMax: (floor((levels - 1) * 256 / sum(256 >> s))) >> s, s from the table."""
    shifts = table.astype(np.int64)[distances(x)]
    sums = (256 >> shifts).sum(axis=-1, keepdims=True)
    return _unsigned(((levels - 1) * 256 // sums) >> shifts)


def layernorm(x: Ints, weight: Array, bias: Array, shift: int) -> Bytes:
    """iLayerNorm of rows, trunc(n * w / D) + b, shifted, with n = x - trunc(mean)."""
    width = x.shape[-1]
    centred = x - _truncated(x.sum(axis=-1, keepdims=True), width)
    variance = (centred**2).sum(axis=-1, keepdims=True) // width + 1
    # Exact: the root of a number below 2^17 is not rounded up to an integer in double precision.
    deviation = np.floor(np.sqrt(variance.astype(np.float64))).astype(np.int64)
    quotient = _truncated(centred * weight.astype(np.int64), deviation)
    return clamp((quotient + bias.astype(np.int64)) >> shift)


def _truncated(dividend: Ints, divisor: Ints | int) -> Ints:
    """A quotient by a positive number, rounded towards zero."""
    size: Ints = np.abs(dividend) // np.asarray(divisor, np.int64)
    return np.where(dividend < 0, -size, size)


def _unsigned(values: Ints) -> Bytes:
    stored: Bytes = values.astype(np.uint8).view(np.int8)
    return stored


def _fits_unsigned(values: Ints, what: str) -> Ints:
    if values.size and values.max() >= 2**32:
        raise BoundError(f"{what} leaves 32 unsigned bits: {values.max()}")
    return values


SOFTMAX: Mapping[str, Callable[[Array, Array, int], Bytes]] = {
    "divide": softmax_by_division,
    "shift": softmax_by_shift,
}
