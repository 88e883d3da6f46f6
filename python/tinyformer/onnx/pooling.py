# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reductions: pooling over the tokens; means over the features belong to normalisations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np

from tinyformer.onnx.builder import Builder, constant
from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.functions import Function
from tinyformer.onnx.graph import Node
from tinyformer.onnx.handler import Handler
from tinyformer.onnx.layers import Pool
from tinyformer.onnx.normalization import row_mean
from tinyformer.onnx.values import Index, Operands, Value, View, Virtual

Kind: TypeAlias = Literal["mean", "max"]


def reduce_mean(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """ReduceMean: over tokens a pool, over features a step of a normalisation."""
    view, axes, shape = reduction(node, operands)
    if axes == [len(view.shape) - 1] and not _over_rows(view, axes):
        return [row_mean(build, view, shape)]
    return [pool(build, view, axes, shape, "mean")]


def reduce_sum(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """ReduceSum over tokens: their mean times their number."""
    view, axes, shape = reduction(node, operands)
    count = int(np.prod([view.shape[axis] for axis in axes]))
    mean = pool(build, view, axes, shape, "mean")
    return [mean.mapped(Function(count * mean.function.samples, node.name))]


def reduce_max(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """ReduceMax over tokens."""
    view, axes, shape = reduction(node, operands)
    return [pool(build, view, axes, shape, "max")]


def global_mean(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """GlobalAveragePool."""
    del node
    return [pool(build, *_spatial(operands), "mean")]


def global_max(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """GlobalMaxPool."""
    del node
    return [pool(build, *_spatial(operands), "max")]


def _spatial(operands: Operands) -> tuple[View, list[int], tuple[int, ...]]:
    (view,) = operands
    assert isinstance(view, View)
    axes = list(range(2, len(view.shape)))
    return view, axes, (*view.shape[:2], *(1 for _ in axes))


def reduction(node: Node, operands: Operands) -> tuple[View, list[int], tuple[int, ...]]:
    """The operand, the axes, and the result's shape. Newer opsets have the axes as an operand."""
    view = operands[0]
    assert isinstance(view, View)
    rank = len(view.shape)
    given = node.attributes.get("axes")
    if len(operands) > 1 and operands[1] is not None:
        given = constant(operands[1], "axes").tolist()
    if not given and node.attributes.get("noop_with_empty_axes", 0):
        return view, [], view.shape
    axes = sorted(axis % rank for axis in given) if given else list(range(rank))
    keep = node.attributes.get("keepdims", 1)
    kept = ((axis, extent) for axis, extent in enumerate(view.shape))
    shape = tuple(1 if axis in axes else e for axis, e in kept if keep or axis not in axes)
    return view, axes, shape


def _groups(view: View, axes: list[int]) -> Index:
    """Element numbers as [what is joined, what is kept]."""
    moved = np.moveaxis(view.index, axes, range(len(axes)))
    joined = int(np.prod(moved.shape[: len(axes)]))
    return moved.reshape(joined, -1)


def _over_rows(view: View, axes: list[int]) -> bool:
    """Whether the joined elements lie in different rows of the layer."""
    rows = _groups(view, axes) // view.layer.shape[-1]
    return bool((rows != rows[0]).any())


def pool(build: Builder, view: View, axes: list[int], shape: tuple[int, ...], kind: Kind) -> View:
    """Joins the elements along `axes`, of which at least one crosses tokens."""
    if isinstance(view.layer, Virtual):
        raise view.layer.refuse()
    groups = _groups(view, axes)
    if len(groups) == 1:
        return view.moved(view.index.reshape(shape))
    if axes == [len(view.shape) - 1] and not _over_rows(view, axes):
        raise UnsupportedNodeError(
            f"takes the {kind} over the features of each token", "pool over the tokens instead"
        )
    view = build.settle(view)
    if kind == "max" and view.affine[0] <= 0:
        view = build.plain(view)
    rows = build.rows(view.moved(groups), groups.shape[1])
    layer = Pool(build.name, (1, rows.layer.shape[1]), rows.layer, kind)
    # Both commute with what is pending: a·x + b, with a > 0 for the maximum.
    return View(layer, rows.columns.reshape(shape), view.function)


HANDLERS: Mapping[str, Handler] = {
    "GlobalAveragePool": global_mean,
    "GlobalMaxPool": global_max,
    "ReduceMax": reduce_max,
    "ReduceMean": reduce_mean,
    "ReduceSum": reduce_sum,
}
