# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The integer formulas of the tinyattn ops: the definition of the bits.

Arrays are int8 (int16, int32 for parameters); unsigned bytes travel as int8 and are
viewed as uint8 where an op says so. Sums are computed in float64, which is exact below
2**53 and fast, and products in int64; what must fit 32 bits on a device is checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.int8]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Requant:
    """`#tinyattn.requant`: one multiply, one rounding shift, one saturation."""

    multiplier: int
    shift: int
    zero_point: int
    wide: bool


class BoundError(ArithmeticError):
    """An intermediate left 32 bits: the compiler's proven bound was wrong."""


def fits32(values: Ints, what: str) -> Ints:
    """Return `values`, which a device holds in 32 bits."""
    if values.size and (values.min() < -(2**31) or values.max() >= 2**31):
        raise BoundError(f"{what} leaves 32 bits: [{values.min()}, {values.max()}]")
    return values


def clamp(values: Ints) -> Bytes:
    """Saturate to int8."""
    saturated: Bytes = np.clip(values, -128, 127).astype(np.int8)
    return saturated


def requantise(
    acc: Ints, multiplier: Ints | int, requant: Requant, offset: Ints | int = 0
) -> Bytes:
    """clamp(((acc * multiplier + offset + 2**(shift - 1)) >> shift) + zero_point)."""
    product = fits32(acc, "an accumulator") * multiplier + offset + (1 << (requant.shift - 1))
    if not requant.wide:
        fits32(product, "a product")
    return clamp((product >> requant.shift) + requant.zero_point)


def product(lhs: Array, rhs: Array) -> Ints:
    """Exact matrix product of integers: lhs @ rhs."""
    exact: Ints = (lhs.astype(np.float64) @ rhs.astype(np.float64)).astype(np.int64)
    return exact


def linear(
    x: Array,
    weight: Array,
    bias: Array,
    multipliers: Array,
    requant: Requant,
    heads: int | None,
    offsets: Ints | int = 0,
) -> Bytes:
    """[M, K] -> [M, N], or [heads, M, N / heads]."""
    acc = product(x, weight.T) + bias.astype(np.int64)
    y = requantise(acc, multipliers.astype(np.int64), requant, offsets)
    return y if heads is None else split_heads(y, heads)


def linear_accumulate(x: Array, weight: Array, sums: Array) -> Array:
    """[M, K] and [N, K], added to [M, N]."""
    acc = sums.astype(np.int64) + product(x, weight.T)
    return fits32(acc, "a partial sum").astype(np.int32)


def split_heads(y: Array, heads: int) -> Bytes:
    """[M, H * P] -> [H, M, P]."""
    split: Bytes = y.reshape(y.shape[0], heads, -1).transpose(1, 0, 2)
    return split


def merge_heads(y: Array) -> Bytes:
    """[B, M, N] -> [M, B * N]."""
    merged: Bytes = y.transpose(1, 0, 2).reshape(y.shape[1], -1)
    return merged


def matmul(
    lhs: Array,
    rhs: Array,
    multipliers: Array,
    row_sums: Array | None,
    requant: Requant,
    *,
    transpose_b: bool,
    unsigned_lhs: bool,
    merge: bool,
    offsets: Ints | int = 0,
) -> Bytes:
    """[B, M, K] x [B, K, N] -> [B, M, N], or [M, B * N]."""
    a = lhs.view(np.uint8) if unsigned_lhs else lhs
    b = np.swapaxes(rhs, -1, -2) if transpose_b else rhs
    acc = product(a, b)
    multiplier = multipliers.astype(np.int64)[:, None, None]
    if row_sums is not None:
        multiplier = multiplier // row_sums.astype(np.int64)[:, :, None]
    offset = offsets if isinstance(offsets, int) else offsets[:, None, None]
    y = requantise(acc, multiplier, requant, offset)
    return merge_heads(y) if merge else y


def exponentials(x: Array, table: Array) -> tuple[npt.NDArray[np.uint8], Ints]:
    """Unnormalised softmax: T[max - x] and its sum along the last dimension."""
    wide = x.astype(np.int64)
    distance = wide.max(axis=-1, keepdims=True) - wide
    exps = table.view(np.uint8)[distance]
    return exps, exps.astype(np.int64).sum(axis=-1)


def softmax(x: Array, table: Array) -> Bytes:
    """Normalised: unsigned bytes of scale 1/256."""
    exps, sums = exponentials(x, table)
    reciprocal = (1 << 30) // sums[..., None]
    y = np.minimum(255, (exps.astype(np.int64) * reciprocal + (1 << 21)) >> 22)
    unsigned: Bytes = y.astype(np.uint8).view(np.int8)
    return unsigned


def half_log(width: int) -> int:
    """c of the layer normalisation: ceil(log2(width) / 2), of a rounded-up log2."""
    return ((width - 1).bit_length() + 1) // 2


def variance_shift(width: int, epsilon: int) -> int:
    """v of the layer normalisation: half the bits by which V is shifted down."""
    bound = width * width * 65025 // 4 + epsilon
    shift = 0
    while ((bound - 1) >> (2 * shift)) + 1 >= 1 << 32:
        shift += 1
    return shift


def layernorm(x: Array, weight: Array, bias: Array, epsilon: int, requant: Requant) -> Bytes:
    """Rows of [M, K]; see the op's description for the formula."""
    width = x.shape[1]
    c, v = half_log(width), variance_shift(width, epsilon)
    wide = x.astype(np.int64)
    total = wide.sum(axis=1)
    deviation = width * wide - total[:, None]
    variance = width * (wide * wide).sum(axis=1) - total * total + epsilon
    reduced = (variance + (1 << (2 * v)) - 1) >> (2 * v)
    inverse = np.array([inverse_root(int(value), c + v) for value in reduced])
    scaled = fits32(deviation * inverse[:, None] + (1 << 15), "a deviation") >> 16
    acc = scaled * weight.astype(np.int64) + bias.astype(np.int64)
    return requantise(acc, 1, requant)


def inverse_root(value: int, down: int) -> int:
    """About 2**31 / sqrt(value) / 2**down, for 0 < value < 2**32."""
    f = (32 - value.bit_length()) // 2
    root = int(np.sqrt(float(value << (2 * f))))
    reciprocal = (1 << 31) // root
    return reciprocal << (f - down) if f >= down else reciprocal >> (down - f)


def lookup(x: Array, table: Array) -> Bytes:
    """table[x + 128], element by element."""
    y: Bytes = table.astype(np.int8)[x.astype(np.int64) + 128]
    return y


def add(
    lhs: Array, rhs: Array, multipliers: tuple[int, int], offset: int, requant: Requant
) -> Bytes:
    """Residual addition with a multiplier for each side."""
    # Neither side is an accumulator: a wide sum may leave 32 bits.
    other = rhs.astype(np.int64) * multipliers[1] + offset
    return requantise(lhs.astype(np.int64), multipliers[0], requant, other)


def patches(
    x: Array, kernel: tuple[int, int], strides: list[int], padding: list[int], pad_value: float
) -> Array:
    """[H, W, C] -> [OH, OW, KH * KW * C], padded with `pad_value`."""
    top, left, bottom, right = padding
    padded = np.pad(x, ((top, bottom), (left, right), (0, 0)), constant_values=pad_value)
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(0, 1))
    windows = windows[:: strides[0], :: strides[1]]  # [OH, OW, C, KH, KW]
    rows, columns = windows.shape[:2]
    flat: Array = windows.transpose(0, 1, 3, 4, 2).reshape(rows, columns, -1)
    return flat


def conv(
    x: Array,
    weight: Array,
    bias: Array,
    multipliers: Array,
    strides: list[int],
    padding: list[int],
    zero_point: int,
    requant: Requant,
    offsets: Ints | int = 0,
) -> Bytes:
    """[H, W, C] -> [OH, OW, O]."""
    columns = patches(x, (weight.shape[1], weight.shape[2]), strides, padding, zero_point)
    acc = product(columns, weight.reshape(weight.shape[0], -1).T) + bias.astype(np.int64)
    return requantise(acc, multipliers.astype(np.int64), requant, offsets)


def mean(x: Array, zero_point: int, requant: Requant) -> Bytes:
    """[M, N] -> [1, N]."""
    acc = x.astype(np.int64).sum(axis=0, keepdims=True) - x.shape[0] * zero_point
    return requantise(acc, requant.multiplier, requant)
