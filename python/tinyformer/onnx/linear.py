# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Linear layers: MatMul and Gemm with a constant operand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tinyformer.onnx import attention, elementwise
from tinyformer.onnx.builder import Builder, Doubles, row_scales
from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.graph import Array, Node
from tinyformer.onnx.handler import Handler
from tinyformer.onnx.layers import Layer, Linear, Mhsa, Projection, rescaled, single
from tinyformer.onnx.patches import linear_on_patches
from tinyformer.onnx.values import NO_ATTENTION_POOLING, Constant, Operands, Value, View


def matmul(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """MatMul: a linear layer, or attention if both operands are activations."""
    del node
    lhs, rhs = operands
    assert lhs is not None and rhs is not None
    return [product(build, lhs, rhs)]


def product(build: Builder, lhs: Value, rhs: Value) -> View:
    """The product of two values, at least one of them a view."""
    if isinstance(lhs, View) and isinstance(rhs, View):
        return attention.product(build, lhs, rhs)
    if isinstance(lhs, View):
        assert isinstance(rhs, Constant)
        return _by_constant(build, lhs, rhs)
    if len(lhs.shape) < 2 or len(rhs.shape) < 2:
        raise UnsupportedNodeError(
            "multiplies a constant vector by an activation", "use a linear layer"
        )
    # A·X = (Xᵀ·Aᵀ)ᵀ: a layer that mixes tokens instead of features.
    assert isinstance(lhs, Constant) and isinstance(rhs, View)
    return _by_constant(build, rhs.swapped, lhs.swapped).swapped


def _by_constant(build: Builder, view: View, constant: Constant) -> View:
    weight, scale = build.weights(constant, "the weight"), constant.scale
    if weight.ndim == 1:
        row_scale = None if scale is None else scale[None]
        column = linear(build, view, weight[None], constant.name, row_scale)
        return column.moved(column.index[..., 0])
    if any(extent != 1 for extent in weight.shape[:-2]):
        raise UnsupportedNodeError(
            f"has a weight of shape {list(weight.shape)}: a matrix for each batch entry or head",
            f"use one linear layer and split its result; {NO_ATTENTION_POOLING}",
        )
    rank = max(len(view.shape), weight.ndim)
    matrix = weight.shape[-2:]
    scale = None if scale is None else scale.reshape(matrix).T
    result = linear(build, view, weight.reshape(matrix).T, constant.name, scale)
    return result.moved(result.index.reshape((1,) * (rank - len(view.shape)) + result.shape))


def gemm(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Gemm: alpha·A·B + beta·C."""
    lhs, rhs = (transposed(operands[i], node.attributes.get(f"trans{'AB'[i]}", 0)) for i in (0, 1))
    result: Value = product(build, lhs, rhs)
    alpha, beta = node.attributes.get("alpha", 1.0), node.attributes.get("beta", 1.0)
    result = elementwise.scaled(build, result, alpha)
    if len(operands) < 3 or operands[2] is None:
        return [result]
    return [elementwise.sum_of(build, result, elementwise.scaled(build, operands[2], beta))]


def transposed(value: Value | None, does: int) -> Value:
    """The value, its last two axes exchanged if an attribute of Gemm says so."""
    assert value is not None
    return value.swapped if does else value


def linear(
    build: Builder, view: View, weight: Doubles, parameter: str, scale: Array | None = None
) -> View:
    """X·Wᵀ on the last axis of the view; `scale` is that of each weight, if it has one."""
    outputs, width = weight.shape
    if not view.shape or view.shape[-1] != width:
        raise UnsupportedNodeError(
            f"has a weight of {width} inputs for {list(view.shape)}", "check the model"
        )
    view = build.settle(view)
    factor, offset = view.affine
    bias = offset * weight.sum(1)
    scales = rescaled(row_scales(scale), np.full(outputs, factor))
    try:
        rows = build.rows(view, width)
    except UnsupportedNodeError:
        convolved = linear_on_patches(build, view, weight * factor, bias, scales)
        if convolved is None:
            raise
        return convolved
    # The columns of the layer may be in another order than the features of the view.
    arranged = np.empty_like(weight)
    arranged[:, rows.columns] = weight * factor
    layer: Layer
    if isinstance(rows.layer, Mhsa) and not rows.layer.projected:
        projection = Projection(single(arranged), single(bias), scales)
        layer = _project(build, rows.layer, projection, parameter)
    else:
        layer = Linear(
            build.name,
            (len(rows.rows), outputs),
            rows.layer,
            single(arranged),
            single(bias),
            scales,
            parameters=(parameter,),
        )
    index = rows.index(np.arange(outputs), outputs, (*view.shape[:-1], outputs))
    return View(layer, index)


def _project(build: Builder, mhsa: Mhsa, after: Projection, parameter: str) -> Mhsa:
    """Attention with this linear layer as its output projection."""
    before, output = mhsa.output, after
    if before.bias.any() or not np.array_equal(before.weight, np.eye(mhsa.shape[1])):
        weight, bias = after.weight.astype(np.float64), after.bias.astype(np.float64)
        output = Projection(single(weight @ before.weight), single(weight @ before.bias + bias))
    context = build.ranges.of(mhsa)
    known = mhsa.known if context is None else {**mhsa.known, "context": context}
    return replace(
        mhsa,
        name=build.name,
        shape=(mhsa.shape[0], len(output.weight)),
        output=output,
        projected=True,
        known=known,
        nodes=(*mhsa.nodes, build.name),
        parameters=(*mhsa.parameters, parameter),
    )


HANDLERS: Mapping[str, Handler] = {"Gemm": gemm, "MatMul": matmul}
