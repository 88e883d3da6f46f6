# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels for Cortex-M against the plain loops of the same op, word by word, on the simulator."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from device import KERNELS, PORTABLE, run_on_device

KERNEL = re.compile(
    "tf_(product|row_product|pack|patches|softmax|normalized_softmax|lookup|add|scale_row|pool)_"
)
BYTES = {"i8": 1, "i32": 4}


@dataclass
class Snippet:
    """One op between an input of random bytes and an output."""

    random: np.random.Generator
    text: list[str] = field(default_factory=list)
    data: bytearray = field(default_factory=bytearray)
    output_bytes: int = 0

    def operand(self, name: str, shape: list[int], array: npt.NDArray[np.generic]) -> str:
        """A view of the input that holds `array`; its type."""
        element = "i8" if array.dtype.itemsize == 1 else "i32"
        self._view(name, "%input", len(self.data), shape, element)
        self.data += array.tobytes() + bytes(-array.nbytes % 8)
        return f"memref<{'x'.join(map(str, shape))}x{element}>"

    def words(self, name: str, shape: list[int], bits: int = 32) -> str:
        """Random words whose halves have `bits` bits."""
        halves = self.random.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (prod(shape), 2))
        return self.operand(name, shape, halves.astype(np.int16).view(np.int32))

    def left_panel(self, name: str, rows: int, depth: int) -> str:
        """Random bytes as a left panel; the last pair of an odd number repeats its row."""
        shape = (pairs(rows), pairs(depth), 2, 2)
        halves = self.random.integers(-128, 128, shape).astype(np.int16)
        if rows % 2:
            halves[-1, :, 1] = halves[-1, :, 0]
        return self.operand(name, list(shape[:3]), halves.view(np.int32))

    def result(self, name: str, shape: list[int], element: str) -> str:
        self._view(name, "%output", self.output_bytes, shape, element)
        size = prod(shape) * BYTES[element]
        self.output_bytes += size + -size % 8
        return f"memref<{'x'.join(map(str, shape))}x{element}>"

    def _view(self, name: str, source: str, offset: int, shape: list[int], element: str) -> None:
        size = len(self.data) if source == "%input" else self.output_bytes
        assert size == offset
        self.text.append(
            f"%{name}_at = arith.constant {offset} : index\n"
            f"%{name} = memref.view {source}[%{name}_at][] : "
            f"memref<{source[1:].upper()}xi8> to memref<{'x'.join(map(str, shape))}x{element}>"
        )

    def check(self, target: str, directory: Path, defined: tuple[int, int] | None = None) -> None:
        """Kernels and loops write the same bytes.

        `defined` is the length of a row and the part of it that is defined.
        """
        body = "\n".join(self.text)
        body = body.replace("memref<INPUTxi8>", f"memref<{len(self.data)}xi8>")
        body = body.replace("memref<OUTPUTxi8>", f"memref<{self.output_bytes}xi8>")
        inputs = np.frombuffer(bytes(self.data), np.int8)
        results, functions = [], []
        for passes in (KERNELS, PORTABLE):
            output, executed = run_on_device(
                body, inputs, self.output_bytes, target, directory / passes[0][:9], passes
            )
            results.append(output)
            functions.append(executed)
        assert {name for name in functions[0] - functions[1] if KERNEL.match(name)}
        if defined is not None:
            length, end = defined
            size = self.output_bytes // length * length
            results = [r[:size].reshape(-1, length)[:, :end] for r in results]
        np.testing.assert_array_equal(*results)


@pytest.fixture(params=["stm32l4", "stm32h7"])
def chip(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def pairs(size: int) -> int:
    return (size + 1) // 2


def right_panel(rows: int, steps: int, form: str) -> list[int]:
    return [rows, steps] if form == "joint" else [rows, steps, 2]


def weights(s: Snippet, channels: int, depth: int, form: str, *, head: bool) -> str:
    """A panel of weights in [-127, 127], of pairs of channels."""
    shape = (pairs(channels), pairs(depth), 2)
    a, b = s.random.integers(-127, 128, (2, *shape))
    if channels % 2:
        b[-1] = 0
    if form == "joint":
        panel = (256 * b + a).astype(np.int16).view(np.int32).reshape(pairs(channels), -1)
    else:
        both = np.stack([a, b], axis=2).astype(np.int16)
        panel = both.view(np.int32).reshape(pairs(channels), -1)
    if head:
        bias = s.random.integers(-2000, 2000, (pairs(channels), 2))
        scale = s.random.integers(1000, 4000, (pairs(channels), 2)) << 12
        if form == "joint":
            first = np.stack([256 * bias[:, 1] + bias[:, 0], bias[:, 0]], axis=1)
            scale[:, 1] >>= 8
        else:
            first = bias
        panel = np.concatenate([first, scale, panel], axis=1).astype(np.int32)
    return s.operand("w", list(panel.shape), np.ascontiguousarray(panel.astype(np.int32)))


LINEAR = [
    (6, 12, 16, "rows", "joint", 0),
    (5, 11, 39, "rows", "joint", -3),
    (1, 9, 7, "rows", "separate", 5),
    (3, 10, 33, "rows", "separate", 0),
    (2, 4, 300, "rows", "joint", 0),
    (3, 6, 261, "rows", "separate", 1),
    (6, 12, 16, "left", "joint", 0),
    (4, 10, 18, "left", "separate", 2),
    (6, 2, 16, "keys", "joint", 0),
    (4, 14, 12, "keys", "separate", 0),
    (6, 12, 16, "values", "joint", 0),
    (4, 6, 10, "values", "separate", 0),
    # A single row, a single column, three columns; loops over steps besides.
    (9, 9, 33, "rows", "joint", -3),
    (9, 9, 33, "rows", "separate", 3),
    (5, 7, 270, "rows", "joint", 2),
    (3, 5, 270, "rows", "separate", 0),
    (1, 1, 5, "rows", "joint", 0),
    (5, 12, 16, "left", "joint", 0),
    (7, 10, 18, "left", "separate", 2),
    (5, 6, 16, "keys", "joint", 3),
    (3, 14, 12, "keys", "separate", 0),
    (9, 12, 16, "values", "joint", 0),
    (5, 6, 10, "values", "separate", -4),
]


@pytest.mark.parametrize(("rows", "channels", "depth", "layout", "form", "zero"), LINEAR)
def test_linear(
    rows: int, channels: int, depth: int, layout: str, form: str, zero: int, chip: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    s = Snippet(np.random.default_rng(rows + channels + depth))
    left = s.left_panel("x", rows, depth)
    weight = weights(s, channels, depth, form, head=True)
    shapes = {
        "rows": ([rows, channels], "i8"),
        "left": ([pairs(rows), pairs(channels), 2], "i32"),
        "keys": (right_panel(pairs(rows), pairs(channels), form), "i32"),
        "values": (right_panel(pairs(channels), pairs(rows), form), "i32"),
    }
    result = s.result("y", *shapes[layout])
    form_of_result = f"result_form = #tinyattn.form<{form}>, " if "s" in layout[1:] else ""
    form_of_result = form_of_result if layout in ("keys", "values") else ""
    odd = "odd_rows, " if rows % 2 and layout != "rows" else ""
    s.text.append(
        f"tinyattn.packed_linear ins(%x, %w : {left}, {weight}) outs(%y : {result}) "
        f"{{layout = #tinyattn.layout<{layout}>, form = #tinyattn.form<{form}>, {form_of_result}"
        f"{odd}requant = #tinyattn.requant<shift = 20, zero_point = {zero}>}}"
    )
    s.check(chip, tmp_path)


@pytest.mark.parametrize(
    ("rows", "channels", "depth"), [(5, 12, 16), (1, 5, 9), (4, 7, 40), (9, 9, 141)]
)
@pytest.mark.parametrize("form", ["joint", "separate"])
def test_accumulating_linear(
    rows: int, channels: int, depth: int, form: str, chip: str, tmp_path: Path
) -> None:
    s = Snippet(np.random.default_rng(rows))
    left = s.left_panel("x", rows, depth)
    weight = weights(s, channels, depth, form, head=False)
    start = s.operand(
        "a", [rows, channels], s.random.integers(-9999, 9999, rows * channels).astype(np.int32)
    )
    result = s.result("y", [rows, channels], "i32")
    s.text.append(
        f"memref.copy %a, %y : {start} to {result}\n"
        f"tinyattn.packed_linear ins(%x, %w : {left}, {weight}) outs(%y : {result}) "
        f"{{layout = #tinyattn.layout<rows>, form = #tinyattn.form<{form}>}}"
    )
    s.check(chip, tmp_path)


@pytest.mark.parametrize("width", [1, 6, 8, 39, 64])
@pytest.mark.parametrize("kind", ["signed", "unsigned", "interleaved", "joint", "separate"])
def test_packing(width: int, kind: str, chip: str, tmp_path: Path) -> None:
    s = Snippet(np.random.default_rng(width))
    x = s.operand("x", [5, width], s.random.integers(-128, 128, 5 * width).astype(np.int8))
    shape = [3, pairs(width)] if kind == "joint" else [3, pairs(width), 2]
    y = s.result("y", shape, "i32")
    if kind in ("signed", "unsigned", "interleaved"):
        attributes = {"unsigned": "{unsigned_input}", "interleaved": "{interleaved}"}.get(kind, "")
        s.text.append(f"tinyattn.pack_rows ins(%x : {x}) outs(%y : {y}) {attributes}")
    else:
        s.text.append(
            f"tinyattn.pack_columns ins(%x : {x}) outs(%y : {y}) {{form = #tinyattn.form<{kind}>}}"
        )
    s.check(chip, tmp_path)


@pytest.mark.parametrize(
    ("heads", "rows", "columns", "width", "shared"),
    [
        (2, 2, 9, 8, False),
        (3, 5, 16, 2, False),
        (1, 1, 7, 6, True),
        (2, 3, 11, 260, True),
        (2, 9, 17, 16, False),
        (2, 4, 70, 2, False),
    ],
)
@pytest.mark.parametrize("form", ["joint", "separate"])
def test_scores(
    heads: int, rows: int, columns: int, width: int, shared: bool, form: str, chip: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    s = Snippet(np.random.default_rng(columns))
    steps = heads * width // 2
    queries = s.left_panel("q", rows, 2 * steps)
    bits = 16 if form == "joint" else 8
    keys = s.words("k", right_panel(pairs(columns), width // 2 if shared else steps, form), bits)
    multipliers = s.operand("m", [heads], s.random.integers(1000, 4000, heads).astype(np.int32))
    stride = columns + -columns % 4
    result = s.result("y", [heads, rows, stride], "i8")
    s.text.append(
        f"tinyattn.packed_scores ins(%q, %k, %m : {queries}, {keys}, {multipliers}) "
        f"outs(%y : {result}) {{columns = {columns} : i64, form = #tinyattn.form<{form}>, "
        f"requant = #tinyattn.requant<shift = 20, zero_point = 4>}}"
    )
    s.check(chip, tmp_path, (stride, columns))


@pytest.mark.parametrize(
    ("heads", "rows", "columns"), [(2, 3, 9), (1, 2, 3), (2, 2, 64), (1, 1, 171)]
)
def test_softmax(heads: int, rows: int, columns: int, chip: str, tmp_path: Path) -> None:
    s = Snippet(np.random.default_rng(columns))
    stride = columns + -columns % 4
    shape = [heads, rows, stride]
    x = s.operand("x", shape, s.random.integers(-128, 128, prod(shape)).astype(np.int8))
    t = s.operand("t", [256], np.sort(s.random.integers(1, 256, 256)).astype(np.uint8))
    e = s.result("e", [heads, pairs(rows), pairs(columns), 2], "i32")
    sums = s.result("s", [heads, 2 * pairs(rows)], "i32")
    s.text.append(
        f"tinyattn.packed_softmax ins(%x, %t : {x}, {t}) outs(%e, %s : {e}, {sums}) "
        f"{{columns = {columns} : i64}}"
    )
    s.check(chip, tmp_path)


@pytest.mark.parametrize(
    ("heads", "rows", "columns", "width"), [(2, 2, 9, 8), (3, 5, 16, 2), (1, 1, 150, 6)]
)
@pytest.mark.parametrize("layout", ["rows", "left"])
@pytest.mark.parametrize("form", ["joint", "separate"])
def test_context(
    heads: int, rows: int, columns: int, width: int, layout: str, form: str, chip: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    s = Snippet(np.random.default_rng(columns))
    shape = (heads, pairs(rows), pairs(columns), 2, 2)
    exponentials = s.random.integers(0, 256, shape).astype(np.int16)
    # Where a pair repeats a row, as the last one of an odd number does, both are equal.
    if rows % 2:
        exponentials[:, -1, :, 1] = exponentials[:, -1, :, 0]
    e = s.operand("e", list(shape[:4]), exponentials.view(np.int32))
    bits = 16 if form == "joint" else 8
    v = s.words("v", right_panel(heads * width // 2, pairs(columns), form), bits)
    totals = exponentials.sum(axis=(2, 4), dtype=np.int32).reshape(heads, -1)
    sums = s.operand("s", [heads, 2 * pairs(rows)], totals)
    m = s.operand("m", [heads], s.random.integers(2**22, 2**24, heads).astype(np.int32))
    if layout == "rows":
        y = s.result("y", [rows, heads * width], "i8")
    else:
        y = s.result("y", [pairs(rows), heads * width // 2, 2], "i32")
    odd = "odd_rows, " if rows % 2 and layout == "left" else ""
    s.text.append(
        f"tinyattn.packed_context ins(%e, %v, %s, %m : {e}, {v}, {sums}, {m}) outs(%y : {y}) "
        f"{{layout = #tinyattn.layout<{layout}>, form = #tinyattn.form<{form}>, "
        f"{odd}requant = #tinyattn.requant<shift = 23, zero_point = -5>}}"
    )
    s.check(chip, tmp_path)


def int8s(s: Snippet, name: str, shape: list[int]) -> str:
    return s.operand(name, shape, s.random.integers(-128, 128, prod(shape)).astype(np.int8))


@pytest.mark.parametrize("size", [3, 50, 117])
def test_lookup(size: int, chip: str, tmp_path: Path) -> None:
    s = Snippet(np.random.default_rng(size))
    x, t = int8s(s, "x", [1, size]), int8s(s, "t", [256])
    y = s.result("y", [1, size], "i8")
    s.text.append(f"tinyattn.lookup ins(%x, %t : {x}, {t}) outs(%y : {y})")
    s.check(chip, tmp_path)


@pytest.mark.parametrize("size", [3, 13, 64, 150])
@pytest.mark.parametrize("offset", [70000, -70000])
def test_add(size: int, offset: int, chip: str, tmp_path: Path) -> None:
    s = Snippet(np.random.default_rng(size))
    a, b = int8s(s, "a", [1, size]), int8s(s, "b", [1, size])
    y = s.result("y", [1, size], "i8")
    s.text.append(
        f"tinyattn.add ins(%a, %b : {a}, {b}) outs(%y : {y}) "
        f"{{multipliers = array<i32: 9000, -12000>, offset = {offset} : i32, "
        "requant = #tinyattn.requant<shift = 14, zero_point = -3>}"
    )
    s.check(chip, tmp_path)


@pytest.mark.parametrize("width", [5, 64, 150])
def test_layernorm(width: int, chip: str, tmp_path: Path) -> None:
    s = Snippet(np.random.default_rng(width))
    x = int8s(s, "x", [3, width])
    weight = s.random.integers(-9000, 9000, width).astype(np.int16).view(np.int8)
    s.operand("bytes", [2 * width], weight)
    bias = s.operand("b", [width], s.random.integers(-99999, 99999, width).astype(np.int32))
    y = s.result("y", [3, width], "i8")
    g = f"memref<{width}xi16>"
    s.text.append(
        f"%zero = arith.constant 0 : index\n"
        f"%g = memref.view %bytes[%zero][] : memref<{2 * width}xi8> to {g}\n"
        f"tinyattn.layernorm ins(%x, %g, %b : {x}, {g}, {bias}) outs(%y : {y}) "
        "{requant = #tinyattn.requant<shift = 18, zero_point = 4>, variance_epsilon = 5 : i64}"
    )
    s.check(chip, tmp_path)


@pytest.mark.parametrize(("rows", "columns"), [(3, 1), (2, 7), (5, 66), (2, 171)])
def test_normalized_softmax(rows: int, columns: int, chip: str, tmp_path: Path) -> None:
    """Among the rows are one of equal scores and one that a single score dominates."""
    s = Snippet(np.random.default_rng(columns))
    scores = s.random.integers(-128, 128, (rows, columns)).astype(np.int8)
    scores[0], scores[1] = 5, -128
    scores[1, -1] = 127
    x = s.operand("x", [rows, columns], scores.reshape(-1))
    table = np.floor(255 * np.exp(-np.arange(256) / 20) + 0.5).astype(np.uint8)
    t = s.operand("t", [256], table[::-1].copy())
    y = s.result("y", [rows, columns], "i8")
    s.text.append(f"tinyattn.normalized_softmax ins(%x, %t : {x}, {t}) outs(%y : {y})")
    s.check(chip, tmp_path, (rows * columns, rows * columns))


@pytest.mark.parametrize("first", [1, 3, 255])
def test_softmax_of_any_table(first: int, chip: str, tmp_path: Path) -> None:
    """The first entry may be small, and others larger; sums that are it alone occur."""
    s = Snippet(np.random.default_rng(first))
    x = s.operand("x", [40, 6], s.random.integers(-4, 4, 240).astype(np.int8))
    table = s.random.choice([0, 0, 0, 1, 200], 256).astype(np.uint8)
    table[-1] = first
    t = s.operand("t", [256], table)
    y = s.result("y", [40, 6], "i8")
    s.text.append(f"tinyattn.normalized_softmax ins(%x, %t : {x}, {t}) outs(%y : {y})")
    s.check(chip, tmp_path)


PATCHES = [
    ([8, 8, 1], (2, 2), (2, 2), 16, 0, False),
    ([1, 8, 8], (2, 2), (2, 2), 6, 4, True),
    ([9, 7, 3], (3, 3), (1, 2), 9, 6, False),
    ([3, 9, 7], (3, 3), (2, 1), 5, 2, True),
    ([1, 60, 5], (1, 25), (1, 7), 6, 0, False),
    ([2, 1, 90], (1, 51), (1, 3), 7, 7, True),
]


@pytest.mark.parametrize(("shape", "kernel", "strides", "count", "first", "channels"), PATCHES)
def test_packing_of_patches(
    shape: list[int], kernel: tuple[int, int], strides: tuple[int, int], count: int, first: int,
    channels: bool, chip: str, tmp_path: Path,
) -> None:  # fmt: skip
    s = Snippet(np.random.default_rng(count))
    x = int8s(s, "x", shape)
    depth = shape[0] if channels else shape[2]
    runs, length = (depth * kernel[0], kernel[1]) if channels else (kernel[0], kernel[1] * depth)
    y = s.result("y", [pairs(count), runs * pairs(length), 2], "i32")
    order = "channels_first, " if channels else ""
    s.text.append(
        f"%first = arith.constant {first} : index\n"
        f"tinyattn.pack_patches ins(%x, %first : {x}, index) outs(%y : {y}) {{{order}"
        f"count = {count} : i64, kernel = array<i64: {kernel[0]}, {kernel[1]}>, "
        f"strides = array<i64: {strides[0]}, {strides[1]}>}}"
    )
    s.check(chip, tmp_path)


@pytest.mark.parametrize(("rows", "columns"), [(1, 4), (17, 48), (255, 20)])
@pytest.mark.parametrize("kind", ["mean", "max"])
def test_pool(rows: int, columns: int, kind: str, chip: str, tmp_path: Path) -> None:
    s = Snippet(np.random.default_rng(rows))
    x = int8s(s, "x", [rows, columns])
    y = s.result("y", [1, columns], "i8")
    mean = (
        ", input_zero_point = -7 : i32, "
        f"requant = #tinyattn.requant<multiplier = {2**20 // rows}, shift = 19, zero_point = 3>"
    )
    s.text.append(
        f"tinyattn.pool ins(%x : {x}) outs(%y : {y}) "
        f"{{kind = #tinyattn.pool_kind<{kind}>{mean if kind == 'mean' else ''}}}"
    )
    s.check(chip, tmp_path)
