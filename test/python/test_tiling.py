# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Depth-first tiling: the bits of the reference, and the memory that was promised."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from encoders import Encoder, compile_for
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tinyformer.bench import layers
from tinyformer.bench.measure import Measurement, measure
from tinyformer.compiler import Compilation
from tinyformer.decisions import Schedule
from tinyformer.mlir import ir
from tinyformer.options import SCHEDULES, CompileOptions
from tinyformer.quantization import quantize
from tinyformer.reference import Interpreter
from tinyformer.simulators import open_session
from tinyformer.targets import get_target

Shape = tuple[int, int, int, int]

shapes = st.tuples(st.integers(1, 12), st.integers(1, 9), st.integers(1, 7), st.integers(1, 4))
kinds = st.sampled_from(SCHEDULES)


def tiled(tile: str, optimize: str = "cycles", kind: str | None = None) -> CompileOptions:
    """Options of tiling; weights are not fused unless a test says so."""
    return CompileOptions("never", optimize, tile=tile, schedule=kind)


def compile_attention(shape: Shape, target: str, options: CompileOptions) -> Compilation:
    layer = layers.attention(*shape, seed=sum(shape))
    samples = layer.samples
    chip = get_target(target)
    return Compilation(layer.module, "attention", samples, ["output"], chip, options)


def block_rows(kind: str, tokens: int) -> int:
    """Rows for which keys and values are computed again, in pairs."""
    blocks = {"halves-accumulate": 2, "quarters-accumulate": 4}.get(kind, 1)
    return min(tokens, (-(-tokens // blocks) + 1) // 2 * 2)


def choose(shape: Shape, target: str, tile: str, optimize: str = "cycles") -> Schedule:
    compilation = compile_attention(shape, target, tiled(tile, optimize))
    compilation.run_to("tile")
    return compilation.schedules[0]


def bench(
    shape: Shape,
    options: CompileOptions,
    target: str = "stm32l4",
    queries: tuple[int, int] | None = None,
) -> Measurement:
    # Without buffers for transfers, which estimates do not count.
    memory = "l1" if target == "gap9" else None
    layer = layers.attention(*shape, seed=0, queries=queries)
    return measure(layer, get_target(target), options, memory=memory)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shapes, kinds, st.data())
def test_tiles_have_the_bits_of_the_whole(shape: Shape, kind: str, data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, shape[0]))
    compilation = compile_attention(shape, "host", tiled(str(rows), kind=kind))
    compilation.run_to("tile")
    assert compilation.quantized is not None
    random = np.random.default_rng(sum(shape))
    x = random.integers(-128, 128, shape[:2], np.int8)
    whole = Interpreter(compilation.quantized).run([x])[0]
    assert np.array_equal(whole, Interpreter(compilation.module).run([x])[0])


@pytest.mark.slow
@pytest.mark.parametrize("target", ["host", "stm32l4", "stm32h7", "gap9"])
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shape=shapes, kind=kinds, data=st.data())
def test_devices_have_the_bits_of_the_reference(
    target: str, shape: Shape, kind: str, data: st.DataObject
) -> None:
    rows = data.draw(st.integers(1, shape[0]))
    result = bench(shape, tiled(str(rows), kind=kind), target)
    assert result.bit_exact
    assert result.schedules[0].schedule == kind
    # An arena is never empty. Where a loop vanishes, buffers may die earlier than estimated.
    estimate = max(8, result.schedules[0].arena_bytes)
    assert result.arena_bytes <= estimate
    block = block_rows(kind, shape[0])
    if shape[3] > 1 and 2 * rows <= (shape[0] % block or block):
        assert result.arena_bytes == estimate


@pytest.mark.slow
@pytest.mark.parametrize("target", ["host", "stm32l4", "stm32h7", "gap9"])
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    shape=shapes,
    kind=st.sampled_from([None, *SCHEDULES]),
    fuse=st.sampled_from(["never", "always"]),
    data=st.data(),
)
def test_some_queries_have_the_bits_of_the_reference(
    target: str, shape: Shape, kind: str | None, fuse: str, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, shape[0] - 1))
    queries = data.draw(st.integers(1, shape[0] - first))
    rows = str(data.draw(st.integers(1, shape[0]))) if kind else "none"
    options = CompileOptions(fuse, tile=rows, schedule=kind)
    result = bench(shape, options, target, (first, queries))
    assert result.bit_exact
    (schedule,) = result.schedules
    assert schedule.schedule == (kind or "none") and schedule.rows <= queries
    assert result.arena_bytes <= max(8, schedule.arena_bytes)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["host", "stm32l4", "stm32h7"])
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    config=st.builds(
        Encoder,
        tokens=st.integers(1, 13),
        width=st.integers(1, 13),
        head_width=st.integers(1, 7),
        heads=st.integers(1, 4),
        hidden=st.integers(1, 33),
        activation=st.just("gelu"),
        front=st.sampled_from(["none", "conv1d", "conv2d"]),
        class_token=st.booleans(),
        pool=st.sampled_from(["none", "mean"]),
        softmax=st.just(False),
        seed=st.integers(0, 2**16),
        norm_first=st.booleans(),
    ),
    kind=kinds,
    tile=st.sampled_from(["min", "1", "auto"]),
)
def test_whole_encoders(target: str, config: Encoder, kind: str, tile: str) -> None:
    compilation, samples = compile_for(config, target)
    compilation.options = tiled(tile, kind=kind)
    with tempfile.TemporaryDirectory() as directory:
        image = compilation.build(Path(directory))
        session = open_session(image, compilation.target)
        assert compilation.quantized is not None
        x = [quantize(samples[0], image.interface.inputs[0])]
        expected = Interpreter(compilation.quantized).run(x)[0]
        assert np.array_equal(expected, session.run(x).outputs[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "size_factor"), [((81, 32, 32, 8), 6.2), ((128, 32, 32, 8), 7.5)]
)
def test_memory_of_the_two_layers_of_the_paper(shape: Shape, size_factor: float) -> None:
    untiled = bench(shape, tiled("none"), "stm32h7")
    small = bench(shape, CompileOptions("auto", "size", tile="auto"), "stm32h7")
    least = bench(shape, tiled("min"), "stm32h7")
    assert untiled.bit_exact and small.bit_exact and least.bit_exact
    assert untiled.peak_bytes >= size_factor * small.peak_bytes
    assert untiled.peak_bytes >= 8 * least.peak_bytes


@pytest.mark.parametrize(
    "shape",
    [
        (81, 32, 32, 8),
        (66, 16, 2, 8),
        (4, 32, 32, 8),
        (32, 64, 64, 16),
        (17, 48, 12, 4),
        (197, 64, 16, 4),
    ],
)
@pytest.mark.parametrize(
    ("tile", "optimize"), [("auto", "cycles"), ("auto", "size"), ("min", "cycles")]
)
def test_never_more_memory_than_untiled(shape: Shape, tile: str, optimize: str) -> None:
    untiled = choose(shape, "stm32h7", "none")
    tiled = choose(shape, "stm32h7", tile, optimize)
    assert tiled.arena_bytes <= untiled.arena_bytes


@pytest.mark.parametrize("kind", SCHEDULES)
@pytest.mark.parametrize("target", ["host", "stm32l4", "gap9"])
def test_fused_weights(kind: str, target: str) -> None:
    """The keys are the input."""
    result = bench((11, 6, 5, 3), CompileOptions("always", tile="4", schedule=kind), target)
    assert result.bit_exact
    assert result.fusion[0].fused
    assert result.arena_bytes == result.schedules[0].arena_bytes


def test_min_is_the_smallest_of_all() -> None:
    shape = (9, 6, 3, 2)
    least = choose(shape, "host", "min").arena_bytes
    for kind in SCHEDULES:
        for rows in range(1, 10):
            compilation = compile_attention(shape, "host", tiled(str(rows), kind=kind))
            compilation.run_to("tile")
            assert compilation.schedules[0].arena_bytes >= least


def test_auto_takes_what_fits_the_target() -> None:
    shape = (197, 64, 16, 4)
    untiled = choose(shape, "host", "none")
    roomy = choose(shape, "host", "auto")
    # Of those that are alike by the estimates, the smallest.
    assert roomy.cycles <= 1.01 * untiled.cycles
    assert roomy.arena_bytes < untiled.arena_bytes
    tight = choose(shape, "stm32l4", "auto")
    assert tight.arena_bytes <= 96 * 1024 < untiled.arena_bytes


@pytest.mark.parametrize(
    ("tokens", "reason", "memories"),
    [(160, "fastest", {"l1"}), (197, "spills", {"l1", "l2"}), (400, "none-fits", {"l1"})],
)
def test_rows_stream_where_what_fits_is_slow(tokens: int, reason: str, memories: set[str]) -> None:
    """With 160 tokens, what fits 64 KiB of L1 is fast enough; of 400, L2 does not hold the rest."""
    options = CompileOptions("never", explain=True)
    compilation = compile_attention((tokens, 128, 16, 8), "pulp-open", options)
    compilation.run_to("bufferize")
    (choice,) = compilation.choices
    assert choice.reason == reason
    assert (choice.chosen.schedule == "none") == (reason == "spills")
    assert {arena.memory for arena in compilation.arenas} == memories


def test_the_smallest_is_at_most_a_little_slower() -> None:
    shape = (81, 32, 32, 8)
    untiled = choose(shape, "stm32h7", "none")
    fastest = choose(shape, "stm32h7", "auto")
    smallest = choose(shape, "stm32h7", "auto", "size")
    assert smallest.arena_bytes < fastest.arena_bytes < untiled.arena_bytes / 2
    assert smallest.cycles <= max(1.04 * fastest.cycles, 1.05 * untiled.cycles)


@pytest.mark.parametrize("kind", [None, "halves-accumulate", "quarters-accumulate"])
def test_no_attention_map_and_no_copies(kind: str | None) -> None:
    compilation = compile_attention((10, 8, 4, 2), "host", tiled("4", kind=kind))
    compilation.run_to("bufferize")
    text = compilation.text()
    assert "memref.copy" not in text
    assert "x10x10xi8" not in text


@pytest.mark.parametrize(
    ("target", "shape", "packed"),
    [
        # Values of more than 258 tokens are separate words: here 32 KiB a head.
        ("stm32h7", (512, 64, 32, 4), True),
        ("stm32l4", (512, 64, 32, 4), False),
        ("stm32l4", (300, 32, 16, 1), True),
    ],
)
def test_long_sequences_have_kernels_where_memory_allows(
    target: str, shape: Shape, packed: bool
) -> None:
    compilation = compile_attention(shape, target, tiled("auto"))
    compilation.run_to("bufferize")
    assert ("tinyattn.packed_context" in compilation.text()) == packed
    assert compilation.arenas[0].size <= compilation.schedules[0].arena_bytes


def test_feed_forward_networks_need_no_wide_rows() -> None:
    config = Encoder(60, 8, 4, 2, 64, "gelu", "none", False, "mean", False, seed=3)
    arenas = {}
    for tile in ("none", "auto", "min"):
        compilation, _ = compile_for(config, "stm32l4")
        compilation.options = tiled(tile)
        compilation.run_to("bufferize")
        arenas[tile] = compilation.arenas[0].size
        networks = [network.rows for network in compilation.feed_forward]
        # Of 60 rows, tiles of 12 leave nothing over.
        assert networks == {"none": [], "auto": [12], "min": [2]}[tile]
    assert arenas["min"] <= arenas["auto"] < 60 * 64 < arenas["none"]


def test_a_module_without_attention_has_no_schedules() -> None:
    layer = layers.linear(3, 4, 5, seed=0)
    samples = layer.samples
    compilation = Compilation(layer.module, "linear", samples, ["output"], get_target("host"))
    compilation.run_to("tile")
    assert compilation.schedules == ()
    assert isinstance(compilation.module, ir.Module)
