# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From RequantShift to `#tinyattn.requant`: other numbers, the same results.

    clip(⌊(x·mul + add + 2^d/2) / 2^d⌋) = clamp(((acc·m + offset + 2^(s-1)) >> s) + z)

for every x that there can be; docs/numerics.md says why each step is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.integers.formulas import Ints, Requantisation

# Bytes of an unsigned value stand for 128 more.
UNSIGNED_ZERO_POINT = -128
# Products are requantised by their upper halves from this shift on.
KERNEL_SHIFT = 17
MEAN_SHIFT, LARGEST_MEAN_SHIFT = 22, 46
_INT32 = 2**31


@dataclass(frozen=True)
class Requant:
    """The fields of `#tinyattn.requant`."""

    shift: int
    zero_point: int
    wide: bool
    multiplier: int = 0

    def __str__(self) -> str:
        multiplier = f"multiplier = {self.multiplier}, " if self.multiplier else ""
        wide = ", wide = true" if self.wide else ""
        return (
            f"#tinyattn.requant<{multiplier}shift = {self.shift}, "
            f"zero_point = {self.zero_point}{wide}>"
        )


@dataclass(frozen=True, eq=False)
class Weights:
    """What a linear layer or a convolution computes with; `offsets` are absent if all are 0."""

    weight: Ints
    bias: Ints
    multipliers: Ints
    offsets: Ints | None
    requant: Requant


def zero_point(unsigned: bool) -> int:
    """The byte that stands for 0."""
    return UNSIGNED_ZERO_POINT if unsigned else 0


def of_weights(
    weight: Ints, bias: Ints, requant: Requantisation, unsigned: bool, result_unsigned: bool
) -> Weights:
    """A layer of weights [channels, ...] on bytes of an input that may be `unsigned`."""
    sums = weight.reshape(len(weight), -1).sum(1)
    bias = bias - zero_point(unsigned) * sums
    mul = np.broadcast_to(requant.mul.ravel(), bias.shape).copy()
    add = np.broadcast_to(requant.add.ravel(), bias.shape).copy()
    # A factor of 0 leaves a constant: no weights, the addend as bias.
    empty = mul == 0
    weight = np.where(_column(empty, weight), 0, weight)
    bias, mul, add = np.where(empty, add, bias), np.where(empty, 1, mul), np.where(empty, 0, add)
    # A multiple of the factor is part of the bias; what remains is less than the factor.
    whole = add // mul
    if (add == whole * mul).all():
        bias, add = bias + whole, np.zeros_like(add)
    bound = accumulator_bound(weight, bias)
    shift, mul, add = _shifted(requant.shift, mul, add, bound)
    return Weights(
        weight,
        bias,
        mul,
        add if add.any() else None,
        _requant(bound * np.abs(mul) + np.abs(add), shift, zero_point(result_unsigned)),
    )


def of_products(
    depth: int, batch: int, requant: Requantisation, result_unsigned: bool
) -> tuple[Ints, Ints | None, Requant]:
    """Multipliers and offsets of each batch entry of products of `depth` pairs of bytes."""
    mul = np.broadcast_to(requant.mul, (batch,))
    add = np.broadcast_to(requant.add, (batch,))
    bound = np.array([255 * 128 * depth])
    _check_accumulator(bound, f"{depth} products of bytes")
    shift, mul, add = _shifted(requant.shift, mul, add, bound)
    requantised = _requant(bound * np.abs(mul) + np.abs(add), shift, zero_point(result_unsigned))
    return mul, add if add.any() else None, requantised


def of_addition(
    requant: Requantisation, unsigned: tuple[bool, bool], result_unsigned: bool
) -> tuple[int, int, Requant]:
    """Multiplier and offset of the sum of two layers."""
    shift, mul, add = _shifted(requant.shift, requant.mul, requant.add, None)
    factor = int(mul[0])
    offset = int(add[0]) - factor * sum(zero_point(side) for side in unsigned)
    if not -_INT32 <= offset < _INT32:
        raise UnsupportedNodeError(
            f"adds {offset} before its shift", "an addend and 256 times the factor fit 32 bits"
        )
    reach = np.array([256 * abs(factor) + abs(offset)])
    return factor, offset, _requant(reach, shift, zero_point(result_unsigned))


def of_mean(rows: int) -> Requant:
    """⌊mean + 1/2⌋ of bytes: both zero points are -128, so that sums are not negative.

    m = ⌈2^s / rows⌉ is too large by excess/rows, and a quotient of at most 255·rows by m thereby by
    at most 255·excess / 2^s. That is below half of 1/rows, which is how far the quotient is at
    least from where its rounding changes, if 2^s > 510·rows·excess.
    """
    for shift in range(MEAN_SHIFT, LARGEST_MEAN_SHIFT + 1):
        multiplier = -(-(1 << shift) // rows)
        excess = multiplier * rows - (1 << shift)
        if 510 * rows * excess < 1 << shift:
            return Requant(shift, UNSIGNED_ZERO_POINT, shift > MEAN_SHIFT, multiplier)
    raise UnsupportedNodeError(f"takes the mean of {rows} rows", "pool in two steps")


def _shifted(shift: int, mul: Ints, add: Ints, bound: Ints | None) -> tuple[int, Ints, Ints]:
    """The same quotient with a larger shift: ⌊x/2^s + 1/2⌋ = ⌊2^t·x/2^(s+t) + 1/2⌋.

    `requant` has one of at least 1, and kernels want KERNEL_SHIFT, if that leaves 32 bits for
    accumulators up to `bound`.
    """
    more = 0 if shift else 1
    wanted = KERNEL_SHIFT - shift
    if bound is not None and wanted > more:
        # A factor is a number of 32 bits itself, also where every sum is 0.
        reach = np.maximum(bound, 1) * np.abs(mul) + np.abs(add)
        if _fits(int(reach.max()) << wanted, KERNEL_SHIFT):
            more = wanted
    mul, add = mul << more, add << more
    _check_shifted(mul, "a factor")
    _check_shifted(add, "an addend")
    return shift + more, mul, add


def _check_shifted(numbers: Ints, what: str) -> None:
    """The numbers that a node has fit; doubled for a shift of 1 in the place of 0 they may not."""
    worst = int(numbers.ravel()[np.abs(numbers).argmax()])
    if not -_INT32 <= worst < _INT32:
        raise UnsupportedNodeError(
            f"has {what} of {worst} behind the smallest shift, 1: more than 32 bits",
            f"with div = 1, keep it within {-_INT32 // 2} to {_INT32 // 2 - 1}",
        )


def _fits(reach: int, shift: int) -> bool:
    """Whether sums up to `reach` and what is added for rounding and zero point have 32 bits."""
    return reach + (1 << (shift - 1)) + (128 << shift) < _INT32


def _requant(reach: Ints, shift: int, zero: int) -> Requant:
    """In 32 bits where everything fits, by the largest absolute values before the rounding term."""
    return Requant(shift, zero, not _fits(int(reach.max()), shift))


def accumulator_bound(weight: Ints, bias: Ints) -> Ints:
    """The largest absolute value of each accumulator, for any bytes; they have 32 bits."""
    flat = weight.reshape(len(weight), -1)
    low = np.minimum(127 * flat, -128 * flat).sum(1)
    high = np.maximum(127 * flat, -128 * flat).sum(1)
    bound: Ints = np.maximum(np.abs(bias + low), np.abs(bias + high))
    _check_accumulator(bound, f"a bias up to {int(np.abs(bias).max())}")
    return bound


def _check_accumulator(bound: Ints, where: str) -> None:
    if bound.max() >= _INT32:
        raise UnsupportedNodeError(
            f"has sums that reach {int(bound.max())}, with {where}", "sums have 32 bits"
        )


def _column(array: Ints, like: Ints) -> Ints:
    """One number for each row of an array of any rank."""
    return array.reshape(-1, *(1,) * (like.ndim - 1))
