# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The operators that only this dialect has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tinyformer.onnx.builder import Builder, Rows, constant
from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.graph import Node, Shape
from tinyformer.onnx.handler import Handler
from tinyformer.onnx.integers import formulas
from tinyformer.onnx.integers.attributes import integers, levels_of, number, shift_of
from tinyformer.onnx.integers.formulas import Levels, Requantisation
from tinyformer.onnx.integers.layers import (
    IntegerLayerNorm,
    IntegerSoftmax,
    Table,
    is_unsigned,
    values_of,
)
from tinyformer.onnx.integers.sums import Curve, LinearProduct, Sums
from tinyformer.onnx.pooling import pool, reduction
from tinyformer.onnx.values import Constant, Operands, Value, View

ALL_LEVELS = 256


def requant_shift(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """RequantShift of sums, of bytes, or of a constant."""
    value, mul, add = operands
    levels = levels_of(node, signed=bool(number(node, "signed")))
    factors = integers(constant(mul, "factors"), "the factor")
    addends = integers(constant(add, "addends"), "the addend")
    shift = shift_of(node, "div")
    if isinstance(value, Constant):
        requant = Requantisation(factors, addends, shift, levels)
        return [value.changed(requant(integers(value.array, "a constant operand")))]
    assert isinstance(value, View)
    for numbers in (factors, addends):
        np.broadcast_to(numbers, value.shape)
    requant = Requantisation(factors, addends, shift, Levels(ALL_LEVELS, levels.signed))
    sums = value if isinstance(value.layer, Sums) else _of_bytes(build, value, requant)
    assert isinstance(sums.layer, Sums)
    result = sums.layer.requantised(build.name, sums, requant)
    return [result if levels.count == ALL_LEVELS else _clipped(build, result, levels)]


def _of_bytes(build: Builder, view: View, requant: Requantisation) -> View:
    """Bytes as sums of 32 bits: a curve, or, with a factor for each channel, a linear layer."""
    view = build.plain(view)
    if requant.mul.size == 1 and requant.add.size == 1:
        curve = Curve(build.name, view.layer.shape, view.layer, values_of(view.layer))
        return View(curve, view.index)
    view = build.cover(view)
    width = view.layer.shape[-1]
    identity, zeros = np.eye(width, dtype=np.int64), np.zeros(width, np.int64)
    return View(
        LinearProduct(build.name, view.layer.shape, view.layer, identity, zeros), view.index
    )


def _clipped(build: Builder, view: View, levels: Levels) -> View:
    layer = view.layer
    unsigned = is_unsigned(layer)
    key = ("levels", layer, levels)
    table = levels.clip(values_of(layer))
    clipped = build.cached(
        key, lambda: Table(f"{build.name}.levels", layer.shape, layer, table, unsigned=unsigned)
    )
    return View(clipped, view.index)


def softmax(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """iSoftmax along the last axis."""
    log2, a, b, c = (number(node, name) for name in ("log2", "coeffA", "coeffB", "coeffC"))
    if log2 < 1:
        raise UnsupportedNodeError(f"has log2 = {log2}", "it is ln 2 in units of the scores")
    table = formulas.softmax_exponentials(log2, a, b, c)
    levels = levels_of(node, signed=False).count
    width = operands[0].shape[-1] if operands[0] else 1
    largest = int(table.max())
    if table.min() < 0 or table[0] < 1 or max(largest * (levels - 1), largest * width) >= 2**32:
        raise UnsupportedNodeError(
            f"has exponentials from {table.min()} to {largest} for rows of {width}",
            "they have to be positive, and their sums and products with n_levels below 2^32",
        )
    return [_softmax(build, operands, "divide", table, levels)]


def itamax(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """ITAMax along the last axis."""
    levels = levels_of(node, signed=False).count
    return [_softmax(build, operands, "shift", formulas.itamax_shifts(), levels)]


def _softmax(
    build: Builder, operands: Operands, kind: str, table: formulas.Ints, levels: int
) -> View:
    (view,) = operands
    assert isinstance(view, View)
    view = build.plain(view)
    shape: Shape = (int(np.prod(view.shape[:-2])), *view.shape[-2:])
    index = view.index
    if np.array_equal(index.ravel(), np.arange(view.layer.size)) and len(view.shape) > 1:
        source = build.reshape(view.layer, shape)
    else:
        rows = build.rows(view, view.shape[-1])
        source, shape = rows.layer, rows.layer.shape
        index = rows.index(rows.columns, shape[1], view.shape)
    layer = IntegerSoftmax(
        build.name,
        shape,
        source,
        "divide" if kind == "divide" else "shift",
        table,
        levels,
        unsigned=True,
    )
    return View(layer, index)


def layernorm(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """iLayerNorm along the last axis."""
    view, weight, bias = operands
    assert isinstance(view, View)
    levels, shift = levels_of(node, signed=True), shift_of(node, "D")
    width = view.shape[-1]
    rows = build.rows(build.plain(view), width)
    layer = IntegerLayerNorm(
        build.name,
        rows.layer.shape,
        rows.layer,
        _by_column(rows, weight, "the weight"),
        _by_column(rows, bias, "the bias"),
        shift,
    )
    result = View(layer, rows.index(rows.columns, width, view.shape))
    return [result if levels.count == ALL_LEVELS else _clipped(build, result, levels)]


def _by_column(rows: Rows, value: Value | None, what: str) -> formulas.Ints:
    """One number for each feature, or for all, in the order of the layer's columns."""
    array, width = integers(constant(value, what), what), len(rows.columns)
    if array.size not in (1, width):
        raise UnsupportedNodeError(f"has {array.size} numbers in {what}", f"give {width}, or 1")
    placed = np.empty(width, np.int64)
    placed[rows.columns] = array.ravel()
    return placed


def gelu(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """iGELU, 32 bits."""
    (view,) = operands
    assert isinstance(view, View)
    if "totScaler" in node.attributes:
        raise UnsupportedNodeError(
            "is the older iGELU, which requantises by itself (totScaler)",
            "export with a QuantLib that writes a RequantShift behind it",
        )
    b, one = number(node, "b"), number(node, "one")
    view = build.plain(view)
    values = formulas.gelu(values_of(view.layer), b, one)
    return [View(Curve(build.name, view.layer.shape, view.layer, values), view.index)]


def mean(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """IntegerMean over tokens."""
    view, axes, shape = reduction(node, operands)
    return [pool(build, build.plain(view), axes, shape, "mean")]


HANDLERS: Mapping[str, Handler] = {
    "ITAMax": itamax,
    "IntegerMean": mean,
    "RequantShift": requant_shift,
    "iGELU": gelu,
    "iLayerNorm": layernorm,
    "iSoftmax": softmax,
}
