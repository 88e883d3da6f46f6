# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels of XpulpV2 for all that is no product, against the plain loops of the same op."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from device import PORTABLE, run_on_device
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tinyformer.bench import layers
from tinyformer.bench.layers import Layer
from tinyformer.bench.measure import measure
from tinyformer.targets import get_target

KERNELS = ("convert-tinyattn-to-xpulp", *PORTABLE)
BYTES = {"i8": 1, "i16": 2, "i32": 4}


@dataclass
class Snippet:
    """One op between an input of random numbers and an output that is filled with them before."""

    random: np.random.Generator
    text: list[str] = field(default_factory=list)
    data: bytearray = field(default_factory=bytearray)
    output_bytes: int = 0

    def numbers(self, name: str, size: int, element: str, low: int, high: int) -> str:
        """An operand of one dimension; its type."""
        array = self.random.integers(low, high + 1, size).astype(f"int{8 * BYTES[element]}")
        return self._operand(name, f"{size}", element, array)

    def rows(
        self, name: str, shape: tuple[int, int], element: str = "i8", gap: int = 0, skip: int = 0
    ) -> str:
        """Random rows with `gap` elements between them, `skip` elements behind a word."""
        count, width = shape
        limit = 127 if element == "i8" else 2**20
        size = skip + count * (width + gap)
        array = self.random.integers(-limit - 1, limit + 1, size).astype(f"int{8 * BYTES[element]}")
        self._operand(f"{name}_all", f"{size}", element, array)
        return self._slice(name, f"%{name}_all", size, shape, element, gap, skip)

    def result(
        self, name: str, shape: tuple[int, int], element: str = "i8", gap: int = 0, skip: int = 0
    ) -> str:
        size = skip + shape[0] * (shape[1] + gap)
        self._view(f"{name}_all", "%output", self.output_bytes, f"{size}", element)
        self.output_bytes += self._padded(size * BYTES[element])
        return self._slice(name, f"%{name}_all", size, shape, element, gap, skip)

    def check(self, op: str, kernel: str) -> None:
        """Kernel and loops write the same bytes, and nothing beside the result."""
        body = "\n".join([*self.text, op])
        body = body.replace("memref<INPUTxi8>", f"memref<{len(self.data)}xi8>")
        body = body.replace("memref<OUTPUTxi8>", f"memref<{self.output_bytes}xi8>")
        inputs = np.frombuffer(bytes(self.data), np.int8)
        outputs = []
        with tempfile.TemporaryDirectory() as directory:
            for name, passes in (("kernels", KERNELS), ("loops", PORTABLE)):
                output, executed = run_on_device(
                    body, inputs, self.output_bytes, "gap9", Path(directory) / name, passes
                )
                outputs.append(output)
                assert any(found.startswith(kernel) for found in executed) == (name == "kernels")
        assert np.array_equal(*outputs)

    @staticmethod
    def _padded(size: int) -> int:
        return size + -size % 8

    def _operand(self, name: str, shape: str, element: str, array: npt.NDArray[np.generic]) -> str:
        type_ = self._view(name, "%input", len(self.data), shape, element)
        self.data += array.tobytes()
        self.data += bytes(self._padded(array.nbytes) - array.nbytes)
        return type_

    def _view(self, name: str, source: str, offset: int, shape: str, element: str) -> str:
        type_ = f"memref<{shape}x{element}>"
        self.text.append(
            f"%{name}_at = arith.constant {offset} : index\n"
            f"%{name} = memref.view {source}[%{name}_at][] : "
            f"memref<{source[1:].upper()}xi8> to {type_}"
        )
        return type_

    def _slice(
        self,
        name: str,
        source: str,
        size: int,
        shape: tuple[int, int],
        element: str,
        gap: int,
        skip: int,
    ) -> str:
        count, width = shape
        type_ = f"memref<{count}x{width}x{element}, strided<[{width + gap}, 1], offset: {skip}>>"
        self.text.append(
            f"%{name} = memref.reinterpret_cast {source} to offset: [{skip}], "
            f"sizes: [{count}, {width}], strides: [{width + gap}, 1] : "
            f"memref<{size}x{element}> to {type_}"
        )
        return type_


# --- Any shape, any alignment.

shapes = st.tuples(st.integers(1, 9), st.integers(1, 41))
gaps, skips, seeds = st.integers(0, 5), st.integers(0, 3), st.integers(0, 999)
# Without shrinking, which would compile for minutes.
several = settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


def requant(shift: int, zero_point: int) -> str:
    return f"requant = #tinyattn.requant<shift = {shift}, zero_point = {zero_point}>"


@several
@given(shapes, gaps, skips, skips, seeds)
@pytest.mark.slow
def test_lookup(shape: tuple[int, int], gap: int, skip: int, skipped: int, seed: int) -> None:
    snippet = Snippet(np.random.default_rng(seed))
    x, table = (
        snippet.rows("x", shape, gap=gap, skip=skip),
        snippet.numbers("t", 256, "i8", -128, 127),
    )
    y = snippet.result("y", shape, gap=gap, skip=skipped)
    snippet.check(f"tinyattn.lookup ins(%x, %t : {x}, {table}) outs(%y : {y})", kernel="tf_lookup")


@several
@given(shapes, gaps, skips, st.sampled_from([15, 22]), st.integers(-128, 127), seeds)
@pytest.mark.slow
def test_add(
    shape: tuple[int, int], gap: int, skip: int, bits: int, zero_point: int, seed: int
) -> None:
    snippet = Snippet(np.random.default_rng(seed))
    a, b = snippet.rows("a", shape, gap=gap, skip=skip), snippet.rows("b", shape, gap=gap)
    y = snippet.result("y", shape, gap=gap, skip=skip)
    left, right = (int(m) for m in snippet.random.integers(1, 2**bits, 2))
    offset = int(snippet.random.integers(-(2**20), 2**20))
    snippet.check(
        f"tinyattn.add ins(%a, %b : {a}, {b}) outs(%y : {y}) "
        f"{{multipliers = array<i32: {left}, {right}>, offset = {offset} : i32, "
        f"{requant(bits, zero_point)}}}",
        kernel="tf_add_halves" if bits == 15 else "tf_add_s",
    )


@several
@given(shapes, gaps, skips, st.sampled_from(["i8", "i32"]), seeds)
@pytest.mark.slow
def test_copy(shape: tuple[int, int], gap: int, skip: int, element: str, seed: int) -> None:
    snippet = Snippet(np.random.default_rng(seed))
    x = snippet.rows("x", shape, element, gap=gap, skip=skip)
    y = snippet.result("y", shape, element, gap=1)
    snippet.check(f"memref.copy %x, %y : {x} to {y}", kernel="tf_copy")


widths = st.one_of(st.integers(1, 41), st.integers(510, 520), st.integers(1020, 1040))


@several
@given(
    st.tuples(st.integers(1, 4), widths),
    gaps,
    st.integers(-128, 127),
    st.sampled_from([1, 400, 2**36]),
    seeds,
)
@pytest.mark.slow
def test_layernorm(
    shape: tuple[int, int], gap: int, zero_point: int, epsilon: int, seed: int
) -> None:
    snippet = Snippet(np.random.default_rng(seed))
    x = snippet.rows("x", shape, gap=gap, skip=gap % 4)
    weight = snippet.numbers("g", shape[1], "i16", -32767, 32767)
    bias = snippet.numbers("b", shape[1], "i32", -(2**28), 2**28)
    y = snippet.result("y", shape, gap=gap)
    snippet.check(
        f"tinyattn.layernorm ins(%x, %g, %b : {x}, {weight}, {bias}) outs(%y : {y}) "
        f"{{variance_epsilon = {epsilon} : i64, {requant(22, zero_point)}}}",
        kernel="tf_layernorm",
    )


@several
@given(shapes, gaps, st.integers(-128, 127), seeds)
@pytest.mark.slow
def test_requantize(shape: tuple[int, int], gap: int, zero_point: int, seed: int) -> None:
    snippet = Snippet(np.random.default_rng(seed))
    x = snippet.rows("x", shape, "i32", gap=gap)
    multipliers = snippet.numbers("m", shape[1], "i32", 0, 1000)
    y = snippet.result("y", shape, gap=gap, skip=gap % 4)
    snippet.check(
        f"tinyattn.requantize ins(%x, %m : {x}, {multipliers}) outs(%y : {y}) "
        f"{{{requant(22, zero_point)}}}",
        kernel="tf_requantize",
    )


@several
@given(shapes, st.sampled_from([0, 1, 600]), seeds)
@pytest.mark.slow
def test_broadcast(shape: tuple[int, int], gap: int, seed: int) -> None:
    snippet = Snippet(np.random.default_rng(seed))
    bias = snippet.numbers("b", shape[1], "i32", -(2**31), 2**31 - 1)
    y = snippet.result("y", shape, "i32", gap=gap)
    snippet.check(f"tinyattn.broadcast ins(%b : {bias}) outs(%y : {y})", kernel="tf_broadcast")


@several
@given(shapes, st.sampled_from([0, 3, 2100]), st.booleans(), seeds)
@pytest.mark.slow
def test_pool(shape: tuple[int, int], gap: int, mean: bool, seed: int) -> None:
    snippet = Snippet(np.random.default_rng(seed))
    x, y = snippet.rows("x", shape, gap=gap, skip=1), snippet.result("y", (1, shape[1]), skip=1)
    attributes = "kind = #tinyattn.pool_kind<max>"
    if mean:
        attributes = (
            "kind = #tinyattn.pool_kind<mean>, input_zero_point = -7 : i32, "
            f"requant = #tinyattn.requant<multiplier = {60000 // shape[0]}, shift = 16, "
            "zero_point = 5>"
        )
    snippet.check(f"tinyattn.pool ins(%x : {x}) outs(%y : {y}) {{{attributes}}}", kernel="tf_pool")


@several
@given(shapes, gaps, st.booleans(), st.booleans(), seeds)
@pytest.mark.slow
def test_normalised_softmax(
    shape: tuple[int, int], gap: int, peaked: bool, signed: bool, seed: int
) -> None:
    snippet = Snippet(np.random.default_rng(seed))
    x = snippet.rows("x", shape, gap=gap)
    y = snippet.result("y", shape, gap=gap)
    # The largest element may be the whole sum.
    table = snippet.numbers("t", 256, "i8", 0 if peaked else -128, 0 if peaked else 127)
    snippet.data[-1 if signed else -256] = 255
    op, kernel = ("normalized_softmax", "signed") if signed else ("softmax", "normalized")
    snippet.check(
        f"tinyattn.{op} ins(%x, %t : {x}, {table}) outs(%y : {y})", kernel=f"tf_softmax_{kernel}"
    )


# --- Convolutions.

pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))


@several
@given(
    pairs,
    st.tuples(st.integers(1, 3), st.integers(1, 20)),
    pairs,
    st.tuples(*[st.integers(0, 2)] * 4),
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from([1, 8]),
    seeds,
)
@pytest.mark.slow
def test_convolution(
    extra: tuple[int, int],
    kernel: tuple[int, int],
    strides: tuple[int, int],
    padding: tuple[int, int, int, int],
    depth: int,
    channels_first: bool,
    cores: int,
    seed: int,
) -> None:
    shape = layers.Convolution(
        kernel[0] + extra[0], kernel[1] + 2 * extra[1], depth, 5, kernel, strides, padding,
        channels_first,
    )  # fmt: skip
    measured = measure(layers.convolution(shape, seed), get_target("gap9").with_cores(cores))
    assert measured.bit_exact
    if cores > 1:
        return
    kernels = {name.split("_")[1] for name in measured.run.kernels if name.startswith("tf_")}
    assert {"patch", "product"} <= kernels
    assert ("fill" in kernels) == any(padding)


# --- Cycles.

SPEED = [
    (layers.lookup, (66, 64), 3.3),
    (layers.lookup, (17, 47), 3.8),
    (layers.add, (66, 64), 7.6),
    (layers.layernorm, (66, 64), 11.0),
    (layers.softmax, (66, 66), 9.3),
]


@pytest.mark.parametrize(("make", "shape", "most"), SPEED)
def test_cycles_an_element(
    make: Callable[[int, int, int], Layer], shape: tuple[int, int], most: float
) -> None:
    """With everything in L1."""
    layer = make(*shape, 0)
    measured = measure(layer, get_target("gap9").with_cores(1), memory="l1")
    assert measured.bit_exact
    assert measured.run.cycles is not None
    assert measured.run.cycles / layer.work.elements <= most
