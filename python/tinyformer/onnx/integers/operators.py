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
from tinyformer.onnx.integers.formulas import Ints, Levels, Requantisation
from tinyformer.onnx.integers.layers import (
    IntegerLayerNorm,
    IntegerSoftmax,
    SoftmaxKind,
    Table,
    is_unsigned,
    values_of,
)
from tinyformer.onnx.integers.operands import activation, required
from tinyformer.onnx.integers.sums import Curve, LinearProduct, Sums
from tinyformer.onnx.pooling import pool, reduction
from tinyformer.onnx.values import Constant, Operands, Value, View

ALL_LEVELS = 256


def requant_shift(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """RequantShift of sums, of bytes, or of a constant."""
    value, mul, add = required(operands, "values", "factors", "addends")
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
    product = LinearProduct(build.name, view.layer.shape, identity, zeros, view.layer)
    return View(product, view.index)


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
    (value,) = required(operands, "scores")
    view, table = activation(value, rank=1), _exponentials(node)
    levels, width = levels_of(node, signed=False).count, value.shape[-1]
    largest = int(table.max())
    if table.min() < 0 or table[0] < 1 or max(largest * (levels - 1), largest * width) >= 2**32:
        raise UnsupportedNodeError(
            f"has exponentials from {table.min()} to {largest} for rows of {width}",
            "they have to be positive, and their sums and products with n_levels below 2^32",
        )
    return [_softmax(build, view, "divide", table, levels)]


def _exponentials(node: Node) -> Ints:
    log2, a, b, c = (number(node, name) for name in ("log2", "coeffA", "coeffB", "coeffC"))
    if log2 < 1:
        raise UnsupportedNodeError(f"has log2 = {log2}", "it is ln 2 in units of the scores")
    if abs(a) * (abs(b) + 255) ** 2 + abs(c) >= 2**62:  # what numpy's integers hold for sure
        raise UnsupportedNodeError(
            f"has the coefficients {a}, {b} and {c}", "exponentials have 32 bits"
        )
    return formulas.softmax_exponentials(log2, a, b, c)


def itamax(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """ITAMax along the last axis."""
    (value,) = required(operands, "scores")
    levels = levels_of(node, signed=False).count
    view = activation(value, rank=1)
    return [_softmax(build, view, "shift", formulas.itamax_shifts(), levels)]


def _softmax(build: Builder, view: View, kind: SoftmaxKind, table: Ints, levels: int) -> View:
    view = build.plain(view)
    shape: Shape = (int(np.prod(view.shape[:-2])), *view.shape[-2:])
    index = view.index
    if np.array_equal(index.ravel(), np.arange(view.layer.size)) and len(view.shape) > 1:
        source = build.reshape(view.layer, shape)
    else:
        rows = build.rows(view, view.shape[-1])
        source, shape = rows.layer, rows.layer.shape
        index = rows.index(rows.columns, shape[1], view.shape)
    layer = IntegerSoftmax(build.name, shape, source, kind, table, levels, unsigned=True)
    return View(layer, index)


def layernorm(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """iLayerNorm along the last axis."""
    value, weight, bias = required(operands, "values", "weights", "biases")
    view = activation(value, rank=1)
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


def _by_column(rows: Rows, value: Value | None, what: str) -> Ints:
    """One number for each feature, or for all, in the order of the layer's columns."""
    array, width = integers(constant(value, what), what), len(rows.columns)
    if array.size not in (1, width):
        raise UnsupportedNodeError(f"has {array.size} numbers in {what}", f"give {width}, or 1")
    placed = np.empty(width, np.int64)
    placed[rows.columns] = array.ravel()
    return placed


def gelu(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """iGELU, 32 bits."""
    (value,) = required(operands, "values")
    view = activation(value)
    if "totScaler" in node.attributes:
        raise UnsupportedNodeError(
            "is the older iGELU, which requantises by itself (totScaler)",
            "export with a QuantLib that writes a RequantShift behind it",
        )
    b, one = number(node, "b"), number(node, "one")
    view = build.plain(view)
    values = _gelu_values(values_of(view.layer), b, one)
    return [View(Curve(build.name, view.layer.shape, view.layer, values), view.index)]


def _gelu_values(x: Ints, b: int, one: int) -> Ints:
    if abs(b) < 1 << 16:  # or else numpy's integers might wrap around, too
        values = formulas.gelu(x, b, one)
        if np.abs(values).max() < 2**31:
            return values
    raise UnsupportedNodeError(f"has b = {b} and one = {one}", "its results have 32 bits")


def mean(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """IntegerMean over tokens."""
    value, *given = required(operands, "values", "axes", optional=1)
    view, axes, shape = reduction(node, (activation(value), *given))
    return [pool(build, build.plain(view), axes, shape, "mean")]


HANDLERS: Mapping[str, Handler] = {
    "ITAMax": itamax,
    "IntegerMean": mean,
    "RequantShift": requant_shift,
    "iGELU": gelu,
    "iLayerNorm": layernorm,
    "iSoftmax": softmax,
}
