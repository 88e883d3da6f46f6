# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The kernels of XpulpV2 on the simulated cluster: the bits of the reference for any shape."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tinyformer.bench import layers
from tinyformer.bench.layers import Layer
from tinyformer.bench.measure import Measurement, measure
from tinyformer.options import SCHEDULES, CompileOptions
from tinyformer.targets import get_target

CHIP = get_target("gap9").with_cores(1)
SETTINGS = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def run(layer: Layer, options: CompileOptions | None = None) -> Measurement:
    return measure(layer, CHIP, options, memory="l1")


def uses(result: Measurement, *kernels: str) -> bool:
    """Whether functions of these names were executed: no fallback to plain loops."""
    return all(any(kernel in name for name in result.run.kernels) for kernel in kernels)


# Rows of one word, of a part of a word, of many; strides that no immediate holds.
@SETTINGS
@given(st.integers(1, 11), st.integers(1, 11), st.integers(1, 41))
@example(4, 4, 4)
@example(3, 5, 3)
@example(9, 9, 2)
@example(6, 7, 700)
@example(6, 6, 2100)
def test_linear(rows: int, channels: int, depth: int) -> None:
    result = run(layers.linear(rows, channels, depth, seed=rows))
    assert result.bit_exact
    assert uses(result, "tf_product")


# Scores, exponentials, transposed values and contexts; sums of 32 bits where the schedule
# accumulates.
@SETTINGS
@given(
    st.tuples(st.integers(1, 18), st.integers(1, 9), st.integers(1, 9), st.integers(1, 3)),
    st.sampled_from(SCHEDULES),
    st.sampled_from(["never", "always"]),
    st.data(),
)
def test_attention(
    shape: tuple[int, int, int, int], kind: str, fuse: str, data: st.DataObject
) -> None:
    rows = data.draw(st.integers(1, shape[0]))
    options = CompileOptions(fuse, tile=str(rows), schedule=kind)
    result = run(layers.attention(*shape, seed=rows), options)
    assert result.bit_exact
    assert uses(result, "tf_product", "tf_softmax")


@pytest.mark.parametrize("tokens", [1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 15, 32, 64, 66])
def test_softmax_of_rows(tokens: int) -> None:
    result = run(layers.attention(tokens, 8, 4, 2, seed=0), CompileOptions("never", tile="none"))
    assert result.bit_exact
