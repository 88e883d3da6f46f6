# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Einsum of two operands: a product of matrices behind transpositions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tinyformer.onnx.builder import Builder
from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.graph import Node, Shape
from tinyformer.onnx.handler import Handler
from tinyformer.onnx.linear import product
from tinyformer.onnx.values import Constant, Operands, Value


def einsum(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Einsum such as `bhid,bhjd->bhij`."""
    lhs, rhs, result = _labels(node.attributes["equation"])
    left, right = operands[0], operands[1]
    assert left is not None and right is not None
    sizes = dict(zip(lhs + rhs, left.shape + right.shape, strict=True))
    batch = [label for label in lhs if label in rhs and label in result]
    summed = [label for label in lhs if label in rhs and label not in result]
    rows = [label for label in lhs if label not in rhs]
    columns = [label for label in rhs if label not in lhs]
    if sorted(batch + rows + columns) != sorted(result):
        raise UnsupportedNodeError(
            "sums over an index of one operand alone", "write it with matmul and permute"
        )

    def extents(*groups: Sequence[str]) -> Shape:
        sums = tuple(int(np.prod([sizes[label] for label in group])) for group in groups)
        return (*(sizes[label] for label in batch), *sums)

    matrix = product(
        build,
        _arranged(left, lhs, batch + rows + summed, extents(rows, summed)),
        _arranged(right, rhs, batch + summed + columns, extents(summed, columns)),
    )
    order = batch + rows + columns
    index = matrix.index.reshape([sizes[label] for label in order])
    return [matrix.moved(index.transpose([order.index(label) for label in result]))]


def _labels(equation: str) -> tuple[str, str, str]:
    """The indices of both operands and of the result."""
    terms, arrow, result = equation.replace(" ", "").partition("->")
    parts = terms.split(",")
    letters = (*parts, result)
    if not arrow or len(parts) != 2 or any(len(set(part)) < len(part) for part in letters):
        raise UnsupportedNodeError(f"computes {equation!r}", "write it with matmul and permute")
    return parts[0], parts[1], result


def _arranged(value: Value, labels: str, order: Sequence[str], shape: Shape) -> Value:
    axes = [labels.index(label) for label in order]
    if isinstance(value, Constant):
        return value.moved(lambda array: array.transpose(axes).reshape(shape))
    return value.moved(value.index.transpose(axes).reshape(shape))


HANDLERS: Mapping[str, Handler] = {"Einsum": einsum}
