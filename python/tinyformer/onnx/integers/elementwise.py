# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Add, Clip and Relu on integers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tinyformer.onnx.builder import Builder, constant
from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.graph import Node
from tinyformer.onnx.handler import Handler
from tinyformer.onnx.integers.attributes import integers
from tinyformer.onnx.integers.formulas import Ints
from tinyformer.onnx.integers.layers import Table, is_unsigned, values_of
from tinyformer.onnx.integers.sums import Addition, Sums
from tinyformer.onnx.layers import Parameter, single
from tinyformer.onnx.values import Constant, Operands, Value, View


def add(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Add: a bias, or the sum of two activations, which a RequantShift follows."""
    del node
    lhs, rhs = operands
    assert lhs is not None and rhs is not None
    if isinstance(lhs, Constant):
        lhs, rhs = rhs, lhs
    assert isinstance(lhs, View)
    if isinstance(lhs.layer, Sums) and isinstance(rhs, Constant):
        return [biased(build, lhs, rhs)]
    return [_sum(build, lhs, rhs)]


def biased(build: Builder, view: View, bias: Constant) -> View:
    """Sums plus a constant."""
    sums = view.layer
    assert isinstance(sums, Sums)
    shape = np.broadcast_shapes(view.shape, bias.shape)
    spread = view.moved(np.broadcast_to(view.index, shape))
    return sums.biased(build.name, spread, integers(bias.array, "a bias"))


def _sum(build: Builder, lhs: View, rhs: Value) -> View:
    shape = np.broadcast_shapes(lhs.shape, rhs.shape)
    lhs = build.cover(build.plain(lhs.moved(np.broadcast_to(lhs.index, shape))))
    if isinstance(rhs, Constant):
        numbers = build.in_layout(lhs, np.broadcast_to(rhs.array, shape))
        parameter = Parameter(rhs.name or build.name, lhs.layer.shape, single(numbers))
        return View(Addition(build.name, lhs.layer.shape, lhs.layer, parameter), lhs.index)
    rhs = build.cover(build.plain(rhs.moved(np.broadcast_to(rhs.index, shape))))
    other = build.reshape(rhs.layer, lhs.layer.shape)
    if not np.array_equal(lhs.index, rhs.index):
        raise UnsupportedNodeError(
            "adds activations whose elements are in different orders in memory",
            "keep the data in the order [batch, tokens, features] between layers",
        )
    return View(Addition(build.name, lhs.layer.shape, lhs.layer, other), lhs.index)


def clip(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Clip to constant bounds."""
    del node
    view, low, high = (*operands, None, None)[:3]
    assert isinstance(view, View)
    least, most = (
        None if bound is None else integers(constant(bound, "bounds"), "a bound").item()
        for bound in (low, high)
    )
    if least is None and most is None:
        return [view]
    return [mapped(build, view, lambda x: np.clip(x, least, most))]


def relu(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Relu."""
    del node
    (view,) = operands
    assert isinstance(view, View)
    return [mapped(build, view, lambda x: np.maximum(x, 0))]


def mapped(build: Builder, view: View, function: Callable[[Ints], Ints]) -> View:
    """A function of a byte that gives bytes of the same kind."""
    view = build.plain(view)
    values = values_of(view.layer)
    table = function(values)
    if table.min() < values.min() or table.max() > values.max():
        raise UnsupportedNodeError(
            f"gives values from {table.min()} to {table.max()}, but its result has bytes from "
            f"{values.min()} to {values.max()}",
            "see whether the RequantShift before it should be unsigned, and the bounds right",
        )
    layer = Table(build.name, view.layer.shape, view.layer, table, unsigned=is_unsigned(view.layer))
    return View(layer, view.index)


HANDLERS: Mapping[str, Handler] = {"Add": add, "Clip": clip, "Relu": relu}
