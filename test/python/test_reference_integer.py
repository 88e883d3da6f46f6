# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The integer formulas against plain Python integers and against real arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinyformer.reference import BoundError, integer, real
from tinyformer.reference.integer import Requant


@given(
    acc=st.integers(-(2**20), 2**20),
    multiplier=st.integers(1, 2**10),
    shift=st.integers(1, 20),
    zero_point=st.integers(-128, 127),
)
def test_requantise_rounds_half_up(acc: int, multiplier: int, shift: int, zero_point: int) -> None:
    result = integer.requantise(np.array([acc]), multiplier, Requant(0, shift, zero_point, True))
    exact = math.floor(acc * multiplier / 2**shift + 0.5) + zero_point
    assert result[0] == max(-128, min(127, exact))


def test_requantise_checks_its_bounds() -> None:
    narrow = Requant(0, 8, 0, False)
    with pytest.raises(BoundError, match="a product"):
        integer.requantise(np.array([2**20]), 2**12, narrow)
    with pytest.raises(BoundError, match="an accumulator"):
        integer.requantise(np.array([2**31]), 1, narrow)
    wide = Requant(0, 20, 0, True)
    assert integer.requantise(np.array([2**20]), 2**12, wide)[0] == 127


def naive_matmul(a: np.ndarray, b: np.ndarray) -> list[list[int]]:
    return [
        [sum(int(x) * int(y) for x, y in zip(row, column, strict=True)) for column in b.T]
        for row in a
    ]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_products_are_exact(seed: int) -> None:
    random = np.random.default_rng(seed)
    a = random.integers(-128, 128, (3, 7)).astype(np.int8)
    b = random.integers(-128, 128, (7, 4)).astype(np.int8)
    assert integer.product(a, b).tolist() == naive_matmul(a, b)


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
@settings(max_examples=50)
def test_late_normalisation_is_a_softmax(seed: int, keys: int) -> None:
    """Late normalisation follows real softmax within a unit and a half of the output."""
    random = np.random.default_rng(seed)
    scores = random.integers(-128, 128, (1, 4, keys)).astype(np.int8)
    values = random.integers(-127, 128, (1, keys, 5)).astype(np.int8)
    scale = 0.05
    table = np.floor(255 * np.exp(-scale * np.arange(256)) + 0.5).astype(np.uint8).view(np.int8)
    exps, sums = integer.exponentials(scores, table)
    numerator = (2**31 - 2**23) // 128 // 2**24 * 2**24 or 2**23
    y = integer.matmul(
        exps,
        values,
        np.array([numerator]),
        sums,
        Requant(0, int(math.log2(numerator)), 0, False),
        transpose_b=False,
        unsigned_lhs=True,
        merge=False,
    )
    expected = real.softmax(scale * scores) @ values
    assert np.abs(y - expected).max() < 1.5


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 3, 16, 48, 64, 127, 512, 700, 4096]))
@settings(max_examples=60, deadline=None)
def test_layernorm_follows_the_real_one(seed: int, width: int) -> None:
    random = np.random.default_rng(seed)
    x = random.integers(-128, 128, (3, width)).astype(np.int8)
    shift = 15
    gain = np.full(width, 2.0 ** (shift - 15 + integer.half_log(width)) * 20, np.int16)
    y = integer.layernorm(x, gain, np.zeros(width, np.int32), 1, Requant(0, shift, 0, False))
    wide = x.astype(np.float64)
    expected = real.layernorm(wide, np.float64(20), np.float64(0), 1 / width**2)
    # Half a unit from the last rounding, and what the reciprocal lost when it was rounded down.
    reciprocal = 2.0 ** (31 - integer.half_log(width)) / (width * max(wide.std(axis=1).max(), 1))
    tolerance = 0.6 + np.abs(expected) / reciprocal
    assert (np.abs(y - np.clip(expected, -128, 127)) <= tolerance).all()


@pytest.mark.parametrize("width", [1, 2, 3, 31, 64, 256, 257, 512, 513, 1024, 4095, 4096])
def test_layernorm_of_extreme_rows_stays_within_32_bits(width: int) -> None:
    """One outlier has the largest deviation; BoundError would be raised."""
    x = np.full((4, width), -128, np.int8)
    x[0, 0] = x[1, :-1] = 127
    x[2, 0] = -127
    shift = 10
    gain = np.full(width, 2 ** (shift - 15 + integer.half_log(width) + 6), np.int16)
    integer.layernorm(x, gain, np.zeros(width, np.int32), 1, Requant(0, shift, 0, False))


def test_softmax_sums_to_one() -> None:
    scores = np.array([[0, 0, 0, 0], [127, -128, -128, -128]], np.int8)
    table = np.floor(255 * np.exp(-0.1 * np.arange(256)) + 0.5).astype(np.uint8).view(np.int8)
    y = integer.softmax(scores, table).view(np.uint8)
    assert y.tolist() == [[64, 64, 64, 64], [255, 0, 0, 0]]


def test_conv_matches_a_direct_loop() -> None:
    random = np.random.default_rng(3)
    x = random.integers(-128, 128, (5, 6, 2)).astype(np.int8)
    weight = random.integers(-127, 128, (3, 3, 2, 2)).astype(np.int8)
    bias = random.integers(-1000, 1000, 3).astype(np.int32)
    requant = Requant(0, 12, 3, False)
    y = integer.conv(x, weight, bias, np.array([9, 8, 7]), [2, 1], [1, 0, 1, 1], -5, requant)
    assert y.shape == (3, 6, 3)
    for i, j, o in np.ndindex(y.shape):
        acc = int(bias[o])
        for p, q, c in np.ndindex(3, 2, 2):
            row, column = i * 2 + p - 1, j + q
            inside = 0 <= row < 5 and 0 <= column < 6
            acc += (int(x[row, column, c]) if inside else -5) * int(weight[o, p, q, c])
        expected = ((acc * (9 - o) + (1 << 11)) >> 12) + 3
        assert y[i, j, o] == max(-128, min(127, expected))
