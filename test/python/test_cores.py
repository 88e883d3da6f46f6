# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layers that the cores of a cluster share: the same bits on any number of cores, and no races."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tinyformer.bench import layers
from tinyformer.bench.layers import Layer
from tinyformer.bench.measure import Measurement, measure
from tinyformer.options import CompileOptions
from tinyformer.targets import Memory, Target, get_target

ALL_CORES = range(1, 9)


def run(
    layer: Layer,
    cores: int,
    options: CompileOptions | None = None,
    memory: str | None = "l1",
) -> Measurement:
    result = measure(layer, get_target("gap9").with_cores(cores), options, memory=memory)
    assert result.bit_exact
    return result


@pytest.mark.parametrize("cores", ALL_CORES)
def test_attention_on_any_number_of_cores(cores: int) -> None:
    run(layers.attention(17, 16, 8, 3, 0), cores)


@pytest.mark.parametrize("memory", [None, "l1"])
@pytest.mark.parametrize(
    "schedule", ["none", "rows-all", "heads-context", "heads-accumulate", "rows-accumulate"]
)
def test_depth_first_schedules(schedule: str, memory: str | None) -> None:
    tile = "none" if schedule == "none" else "5"
    options = CompileOptions("never", tile=tile, schedule=None if tile == "none" else schedule)
    run(layers.attention(13, 16, 8, 3, 0), 8, options, memory)


def test_transfers_hide_behind_the_computation() -> None:
    """Weights of 29 KiB come in from L2, a part at a time, and nothing else reads them there."""
    result = run(layers.attention(40, 48, 16, 6, 0), 8, memory=None).run
    assert {"tf_dma_to_l1", "tf_dma_to_l2", "tf_dma_wait"} <= set(result.kernels)
    assert result.cycles is not None
    assert result.dma_wait_cycles is not None
    assert 0 < result.dma_wait_cycles < result.cycles // 10


def with_little_l1(cores: int) -> Target:
    """12 KiB beside the stacks."""
    chip = get_target("gap9").with_cores(cores)
    l1 = Memory("l1", chip.memory("l1").base, chip.reserved_bytes + 12 * 1024, "ram")
    return replace(chip, memories=(chip.memory("l2"), l1))


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(
    make=st.sampled_from([layers.linear, layers.layernorm, layers.lookup, layers.add]),
    rows=st.integers(150, 250),
    columns=st.integers(60, 90),
    depth=st.integers(1, 90),
    cores=st.integers(1, 8),
)
def test_rows_that_do_not_fit_come_and_go(
    make: Callable[..., Layer], rows: int, columns: int, depth: int, cores: int
) -> None:
    shape = (rows, columns, depth) if make is layers.linear else (rows, columns)
    result = measure(make(*shape, 0), with_little_l1(cores))
    assert result.bit_exact
    assert {"tf_dma_to_l1", "tf_dma_to_l2"} <= set(result.run.kernels)
    # A layer for each part.
    assert sum(make.__name__ in name for name in result.run.layers) > 1


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    tokens=st.integers(1, 40),
    width=st.integers(1, 40),
    head_width=st.integers(1, 20),
    heads=st.integers(1, 9),
    cores=st.integers(2, 8),
    fuse=st.sampled_from(["never", "auto"]),
    memory=st.sampled_from([None, "l1"]),
    seed=st.integers(0, 100),
)
def test_attention_of_any_shape(
    tokens: int,
    width: int,
    head_width: int,
    heads: int,
    cores: int,
    fuse: str,
    memory: str | None,
    seed: int,
) -> None:
    layer = layers.attention(tokens, width, head_width, heads, seed)
    run(layer, cores, CompileOptions(fuse), memory)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.integers(1, 40),
    channels=st.integers(1, 70),
    depth=st.integers(1, 40),
    cores=st.integers(2, 8),
)
def test_linear_layers_of_any_shape(rows: int, channels: int, depth: int, cores: int) -> None:
    run(layers.linear(rows, channels, depth, 0), cores)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(
    make=st.sampled_from([layers.softmax, layers.layernorm, layers.lookup, layers.add]),
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    cores=st.integers(2, 8),
)
def test_rows_of_any_shape(
    make: Callable[[int, int, int], Layer], rows: int, columns: int, cores: int
) -> None:
    run(make(rows, columns, 0), cores)
