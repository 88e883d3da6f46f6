# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sums of products: MatMul, Gemm and Conv on integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tinyformer.onnx import conv
from tinyformer.onnx.builder import Builder
from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.graph import Node
from tinyformer.onnx.handler import Handler
from tinyformer.onnx.integers.attributes import integers
from tinyformer.onnx.integers.builder import IntegerBuilder, is_probabilities
from tinyformer.onnx.integers.elementwise import biased
from tinyformer.onnx.integers.layers import is_unsigned
from tinyformer.onnx.integers.sums import ConvProduct, LinearProduct, MatmulProduct, Sums
from tinyformer.onnx.layers import Conv, Layer
from tinyformer.onnx.linear import transposed
from tinyformer.onnx.values import Constant, Operands, Value, View

BYTES = (-128, 127)


def matmul(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """MatMul: a linear layer, or the product of two activations."""
    del node
    lhs, rhs = operands
    assert lhs is not None and rhs is not None
    return [_product(build, lhs, rhs)]


def gemm(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Gemm: A·B + C."""
    lhs, rhs, bias = (*operands, None)[:3]
    for name in ("alpha", "beta"):
        if node.attributes.get(name, 1.0) != 1.0:
            raise UnsupportedNodeError(
                f"has {name} = {node.attributes[name]:g}", "integers are multiplied by RequantShift"
            )
    lhs, rhs = (
        transposed(value, node.attributes.get(name, 0))
        for value, name in ((lhs, "transA"), (rhs, "transB"))
    )
    result = _product(build, lhs, rhs)
    return [result if bias is None else biased(build, result, _constant_bias(bias))]


def _constant_bias(bias: Value) -> Constant:
    if isinstance(bias, View):
        raise UnsupportedNodeError("has a bias computed from the input", "add it in a node")
    return bias


def _product(build: Builder, lhs: Value, rhs: Value) -> View:
    if isinstance(lhs, View) and isinstance(rhs, View):
        assert isinstance(build, IntegerBuilder)
        return _of_activations(build, lhs, rhs)
    if isinstance(lhs, View):
        assert isinstance(rhs, Constant)
        return _linear(build, lhs, rhs)
    # A·X = (Xᵀ·Aᵀ)ᵀ
    assert isinstance(lhs, Constant) and isinstance(rhs, View)
    return _linear(build, rhs.swapped, lhs.swapped).swapped


def _linear(build: Builder, view: View, constant: Constant) -> View:
    """X·W on the last axis."""
    shape = constant.shape
    if len(shape) < 2 or any(extent != 1 for extent in shape[:-2]):
        raise UnsupportedNodeError(
            f"has a weight of shape {list(shape)}", "a weight is a matrix, the same for all tokens"
        )
    weight = integers(constant.array, f"the weight {constant.name!r}", *BYTES)
    weight = weight.reshape(shape[-2:]).T
    outputs, width = weight.shape
    if not view.shape or view.shape[-1] != width:
        raise UnsupportedNodeError(
            f"has a weight of {width} inputs for {list(view.shape)}", "check the model"
        )
    rows = build.rows(build.plain(view), width)
    # The columns of the layer may be in another order than the features of the view.
    arranged = np.empty_like(weight)
    arranged[:, rows.columns] = weight
    product = LinearProduct(
        build.name,
        (len(rows.rows), outputs),
        arranged,
        np.zeros(outputs, np.int64),
        rows.layer,
        parameters=(constant.name,),
    )
    index = rows.index(np.arange(outputs), outputs, (*view.shape[:-1], outputs))
    return View(product, index)


def _of_activations(build: IntegerBuilder, lhs: View, rhs: View) -> View:
    """[.., M, K] times [.., K, N]: scores, or context if the left side is a softmax."""
    for view in (lhs, rhs):
        if isinstance(view.layer, Sums):
            raise view.layer.refuse()
        if len(view.shape) < 2:
            raise UnsupportedNodeError(
                "multiplies by a vector computed from the input", "give it two dimensions"
            )
    if lhs.shape[:-2] != rhs.shape[:-2]:
        raise UnsupportedNodeError(
            f"multiplies batches of {list(lhs.shape[:-2])} and {list(rhs.shape[:-2])}",
            "give both sides the same heads",
        )
    (rows, depth), columns = lhs.shape[-2:], rhs.shape[-1]
    left = build.entries(lhs, lhs.index.reshape(-1, rows, depth))
    index = rhs.index.reshape(-1, depth, columns)
    context = is_probabilities(left)
    # Keys arrive transposed, values do not; that is how they are in memory.
    if not context:
        index = index.swapaxes(1, 2)
    right = build.entries(rhs, index)
    for layer in (right,) if context else (left, right):
        _check_signed(layer)
    shape = (left.shape[0], rows, columns)
    product = MatmulProduct(build.name, shape, left, right, not context, context)
    numbers = np.arange(product.size).reshape(*lhs.shape[:-1], columns)
    return View(product, numbers)


def _check_signed(layer: Layer) -> None:
    if is_unsigned(layer):
        raise UnsupportedNodeError(
            f"multiplies by {layer.name!r}, which is unsigned",
            "queries, keys and values have to be signed: RequantShift with signed=1",
        )


def convolution(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Conv of one sample, group 1, dilation 1; the padding is 0."""
    view, kernel, bias = (*operands, None)[:3]
    if isinstance(kernel, Constant):
        integers(kernel.array, f"the weight {kernel.name!r}", *BYTES)
    (result,) = conv.conv(build, node, (view, kernel))
    assert isinstance(result, View) and isinstance(result.layer, Conv)
    layer = result.layer
    name = kernel.name if isinstance(kernel, Constant) else ""
    product = ConvProduct(
        build.name,
        layer.shape,
        layer.weight.astype(np.int64),
        np.zeros(layer.shape[1], np.int64),
        layer,
        parameters=(name,),
    )
    sums = View(product, result.index)
    if bias is None:
        return [sums]
    channels = (-1, *(1,) * (len(result.shape) - 2))
    return [biased(build, sums, _constant_bias(bias).moved(lambda array: array.reshape(channels)))]


HANDLERS: Mapping[str, Handler] = {"Conv": convolution, "Gemm": gemm, "MatMul": matmul}
