# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Nodes that only move data: they act on element numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tinyformer.onnx.builder import Builder, Rows
from tinyformer.onnx.embedding import embedding, is_ids, not_rows
from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.evaluate import evaluate
from tinyformer.onnx.graph import Array, Node
from tinyformer.onnx.handler import Handler
from tinyformer.onnx.layers import Concat, Layer, Parameter, single
from tinyformer.onnx.values import Constant, Operands, Value, View

ONNX_FLOAT = 1
ONNX_INTEGERS = (6, 7)  # int32, int64


def move(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Any node that gives elements of its first operand."""
    data, *others = operands
    if isinstance(data, Constant) and node.op == "Gather":
        return [embedding(build, node, data, others[0])]
    if not isinstance(data, View):
        raise UnsupportedNodeError(
            "looks up elements of a constant by numbers computed from the input",
            "look up rows of a matrix: nn.Embedding",
        )
    arrays: list[Array | None] = [data.index]
    for other in others:
        if isinstance(other, View):
            raise UnsupportedNodeError(
                "moves data to a place that depends on the input", "use constant shapes"
            )
        arrays.append(None if other is None else other.array)
    return [data.moved(index) for index in evaluate(node, arrays, build.opset)]


def identity(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Identity, and Dropout, which does nothing when a network is used."""
    del build, node
    assert operands[0] is not None
    return [operands[0]]


def cast(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Cast to float32, which changes nothing; ids are integers of any width."""
    if is_ids(operands[0]):
        if node.attributes["to"] in ONNX_INTEGERS:
            return identity(build, node, operands)
        raise not_rows("casts")
    if node.attributes["to"] != ONNX_FLOAT:
        raise UnsupportedNodeError(
            "casts an activation to another type",
            "export the model in float32; masks are not supported: export without attention_mask",
        )
    return identity(build, node, operands)


def shape_of(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Shape and Size: every shape is static."""
    (value,) = operands
    assert value is not None
    return [Constant(array) for array in evaluate(node, [np.empty(value.shape)], build.opset)]


def concat(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Tokens below one another, or features side by side, whatever axis ONNX has them on."""
    parts = [part for part in operands if part is not None and 0 not in part.shape]
    axis = node.attributes["axis"] % len(parts[0].shape)
    if len(parts) == 1:
        return [parts[0]]
    settled = [_settled(build, part) for part in parts]
    if _along_features(settled, axis):
        return [_side_by_side(build, settled, axis)]
    return [_below(build, settled, axis)]


def _settled(build: Builder, part: Value) -> Value:
    if isinstance(part, Constant):
        build.weights(part, "a part")
        return part
    return build.cover(build.plain(part))


def _along_features(parts: Sequence[Value], axis: int) -> bool:
    """Whether a step along `axis` stays in the row of the layer."""
    views = [part for part in parts if isinstance(part, View)]
    for view in views:
        if view.shape[axis] > 1:
            rows = np.moveaxis(view.index, axis, 0) // view.layer.shape[-1]
            return np.array_equal(rows[0], rows[1])
    return axis == len(parts[0].shape) - 1


def _below(build: Builder, parts: Sequence[Value], axis: int) -> View:
    """Matrices of one width in memory behind one another."""
    width = next(part.layer.shape[-1] for part in parts if isinstance(part, View))
    layers: list[Layer] = []
    indices: list[Array] = []
    start = 0
    for part in parts:
        view = part if isinstance(part, View) else _parameter(part, axis, width)
        if view.layer.shape[-1] != width:
            raise UnsupportedNodeError(
                f"concatenates rows of {width} and of {view.layer.shape[-1]} features",
                "bring them to one width by a linear layer",
            )
        layers.append(view.layer)
        indices.append(view.index + start)
        start += view.layer.size
    layer = Concat(build.name, (start // width, width), tuple(layers), 0)
    return View(layer, np.concatenate(indices, axis))


def _parameter(constant: Constant, axis: int, width: int) -> View:
    """A constant as rows, in the place of tokens."""
    moved = np.moveaxis(constant.array, axis, 0)
    if constant.array.size != len(moved) * width:
        raise UnsupportedNodeError(
            f"concatenates a constant of shape {list(constant.shape)} to rows of {width} features",
            "tokens are concatenated as [1, tokens, features] on axis 1",
        )
    index = np.arange(moved.size).reshape(moved.shape)
    layer = Parameter(constant.name, (len(moved), width), single(moved.reshape(-1, width)))
    return View(layer, np.moveaxis(index, 0, axis))


def _side_by_side(build: Builder, parts: Sequence[Value], axis: int) -> View:
    """Matrices with the same rows, their columns joined."""
    matrices: dict[int, Rows] = {}
    for position, part in enumerate(parts):
        if isinstance(part, View):
            last = part.moved(np.moveaxis(part.index, axis, -1))
            matrices[position] = build.rows(last, last.shape[-1])
    rows = next(iter(matrices.values())).rows
    if any(not np.array_equal(matrix.rows, rows) for matrix in matrices.values()):
        raise UnsupportedNodeError(
            "concatenates features of tokens in different orders", "keep one order"
        )
    layers, columns, start = [], [], 0
    for position, part in enumerate(parts):
        if isinstance(part, View):
            layer, column = matrices[position].layer, matrices[position].columns
        else:
            table = np.moveaxis(part.array, axis, -1).reshape(len(rows), -1)
            placed = np.empty(table.shape, np.float32)
            placed[rows] = table
            layer, column = Parameter(part.name, placed.shape, placed), np.arange(table.shape[1])
        layers.append(layer)
        columns.append(column + start)
        start += layer.shape[1]
    joined = Concat(build.name, (len(rows), start), tuple(layers), 1)
    shape = list(np.moveaxis(np.empty(parts[0].shape), axis, -1).shape)
    index = (rows[:, None] * start + np.concatenate(columns)).reshape(*shape[:-1], start)
    return View(joined, np.moveaxis(index, -1, axis))


def where(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Where with a condition that is the same everywhere, such as no element being NaN."""
    del build, node
    condition = constant_condition(operands[0])
    chosen, other = (operands[1], operands[2]) if condition else (operands[2], operands[1])
    assert chosen is not None and other is not None
    shape = np.broadcast_shapes(chosen.shape, other.shape, operands[0].shape if operands[0] else ())
    if isinstance(chosen, Constant):
        return [chosen.moved(lambda array: np.broadcast_to(array, shape))]
    return [chosen.moved(np.broadcast_to(chosen.index, shape))]


def constant_condition(value: Value | None) -> bool:
    """A condition that is all true or all false."""
    if not isinstance(value, Constant):
        raise UnsupportedNodeError(
            "chooses by a condition computed from the input",
            "remove the condition; masks are not supported: export without attention_mask",
        )
    if value.array.all() or not value.array.any():
        return bool(value.array.all())
    raise UnsupportedNodeError(
        "masks a part of an activation by a constant condition",
        "masked and causal attention are not supported: TinyFormer compiles encoders that attend "
        "to all tokens",
    )


def is_nan(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Finite inputs and finite weights give finite activations; int8 has nothing else."""
    del build, node
    assert operands[0] is not None
    return [Constant(np.zeros(operands[0].shape, bool))]


MOVING = [
    "DepthToSpace",
    "Expand",
    "Flatten",
    "Gather",
    "GatherElements",
    "GatherND",
    "Reshape",
    "Slice",
    "SpaceToDepth",
    "Split",
    "Squeeze",
    "Tile",
    "Transpose",
    "Unsqueeze",
]

HANDLERS: Mapping[str, Handler] = dict.fromkeys(MOVING, move) | {
    "Cast": cast,
    "Concat": concat,
    "Dropout": identity,
    "Identity": identity,
    "IsInf": is_nan,
    "IsNaN": is_nan,
    "Shape": shape_of,
    "Size": shape_of,
    "Where": where,
}
