# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Elementwise nodes: functions of one variable, biases, positions, residual additions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from onnx import helper

from tinyformer.onnx import attention, normalization
from tinyformer.onnx.builder import Builder
from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.evaluate import evaluate
from tinyformer.onnx.functions import Function, affine
from tinyformer.onnx.graph import Array, Node
from tinyformer.onnx.handler import Handler
from tinyformer.onnx.layers import Add, Linear, single
from tinyformer.onnx.values import (
    Constant,
    Operands,
    RowMean,
    Scores,
    Value,
    View,
    pooling_by_attention,
)


def unary(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """A function of the first operand; what else it takes (Clip, Pow) is one number each."""
    view, *others = operands
    if not isinstance(view, View):
        raise UnsupportedNodeError("has parameters computed from the input", "make them constant")
    samples: list[Array | None] = [view.function.samples]
    for other in others:
        samples.append(None if other is None else _number(other))
    with np.errstate(all="ignore"):  # samples where the function is undefined become NaN
        (result,) = evaluate(node, samples, build.opset)
    return [view.mapped(Function(result.astype(np.float64), node.name))]


def _number(value: Value) -> Array:
    if isinstance(value, View) or value.array.size != 1:
        raise UnsupportedNodeError(
            "has a parameter that is not one constant number", "use one number"
        )
    return value.array.reshape(()).astype(np.float64)


def binary(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Add, Sub, Mul, Div, Pow, Min, Max of two values."""
    lhs, rhs = operands[0], operands[1]
    assert lhs is not None and rhs is not None and len(operands) == 2
    if isinstance(lhs, View) and isinstance(rhs, View):
        return [_of_views(build, node, lhs, rhs)]
    if isinstance(lhs, View):
        assert isinstance(rhs, Constant)
        return [_with_constant(build, node, lhs, rhs, constant_first=False)]
    assert isinstance(rhs, View) and isinstance(lhs, Constant)
    return [_with_constant(build, node, rhs, lhs, constant_first=True)]


def _of_views(build: Builder, node: Node, lhs: View, rhs: View) -> View:
    if lhs.same_elements(rhs):
        function = _combined(build, node, lhs.function.samples, rhs.function.samples)
        return replace(lhs.mapped(function), sole=lhs.sole and rhs.sole)
    normal = normalization.combine(build, node.op, lhs, rhs)
    if normal is not None:
        return normal
    if isinstance(lhs.layer, Scores) or isinstance(rhs.layer, Scores):
        raise _of_scores(node)
    if node.op == "Add":
        return _residual(build, lhs, rhs)
    if node.op == "Sub":
        negative = affine(-1.0, name=node.name)
        return _residual(build, lhs, rhs.mapped(_compose(negative, rhs.function)))
    raise pooling_by_attention(lhs, rhs) or _refused(node, lhs, rhs)


def _refused(node: Node, lhs: View, rhs: View) -> UnsupportedNodeError:
    if isinstance(lhs.layer, RowMean) or isinstance(rhs.layer, RowMean):
        return UnsupportedNodeError(
            f"combines an activation and a function of its means over the features by {node.op}",
            "RMSNorm and gating by means are not supported: use nn.LayerNorm",
        )
    return UnsupportedNodeError(
        f"combines two different activations by {node.op}",
        "gating (GLU, SwiGLU), RMSNorm and attention in other forms than the usual ones are not "
        "supported; activations may only be added",
    )


def _of_scores(node: Node) -> UnsupportedNodeError:
    return UnsupportedNodeError(
        f"combines the scores of attention and what is computed from the input by {node.op}",
        "masks that are an input are not supported: export without attention_mask; nor are biases "
        "of scores",
    )


def _combined(build: Builder, node: Node, lhs: Array, rhs: Array) -> Function:
    with np.errstate(all="ignore"):  # samples where the function is undefined become NaN
        (samples,) = evaluate(node, [lhs, rhs], build.opset)
    return Function(samples.astype(np.float64), node.name)


def _compose(outer: Function, inner: Function) -> Function:
    """An affine function of another function."""
    assert outer.affine is not None
    slope, offset = outer.affine
    return Function(slope * inner.samples + offset, outer.name)


def _with_constant(
    build: Builder, node: Node, view: View, constant: Constant, constant_first: bool
) -> View:
    if node.op == "Sub":
        view, constant = _as_sum(node, view, constant, constant_first)
    if node.op in ("Add", "Sub"):
        return _plus(build, node, view, constant)
    if constant.array.size == 1:
        number, samples = constant.array.reshape(()).astype(np.float64), view.function.samples
        pair = (number, samples) if constant_first else (samples, number)
        shape = np.broadcast_shapes(view.shape, constant.shape)
        return view.mapped(_combined(build, node, *pair)).moved(view.index.reshape(shape))
    values = build.weights(constant, "the constant")
    if node.op == "Div" and not constant_first:
        values = 1.0 / values
    elif node.op != "Mul":
        raise UnsupportedNodeError(
            f"combines an activation and a constant of shape {list(constant.shape)} by {node.op}",
            "only one number is supported there",
        )
    return _multiplied(build, view, constant.changed(values))


def _as_sum(
    node: Node, view: View, constant: Constant, constant_first: bool
) -> tuple[View, Constant]:
    """A difference as the sum of two values."""
    if constant_first:
        return view.mapped(_compose(affine(-1.0, name=node.name), view.function)), constant
    return view, constant.changed(-constant.array)


def _plus(build: Builder, node: Node, view: View, constant: Constant) -> View:
    shape = np.broadcast_shapes(view.shape, constant.shape)
    if isinstance(view.layer, Scores):
        attention.check_mask(view, constant)
        return view.moved(view.index.reshape(shape))
    if not constant.array.any():
        return build.noted(view, constant.name).moved(np.broadcast_to(view.index, shape))
    if constant.array.size == 1 and not _is_bias(view):
        samples = view.function.samples + float(constant.array.reshape(()))
        return view.mapped(Function(samples, node.name)).moved(view.index.reshape(shape))
    build.weights(constant, "the constant")
    return _shifted(build, view, constant)


def _is_bias(view: View) -> bool:
    """A single number behind a linear layer of one output is its bias, no part of a function."""
    return isinstance(view.layer, Linear) and view.sole and view.layer.shape[1] == 1


def _shifted(build: Builder, view: View, constant: Constant) -> View:
    """Adds a constant: a bias, which goes into the layer's own, or positions."""
    view = build.cover(build.settle(view))
    shape = np.broadcast_shapes(view.shape, constant.shape)
    if int(np.prod(shape)) != view.index.size:
        raise UnsupportedNodeError(
            f"repeats an activation of shape {list(view.shape)} for a constant of shape "
            f"{list(constant.shape)}",
            "add them in one shape",
        )
    view = view.moved(view.index.reshape(shape))
    folded = build.rescale(view, np.ones(()), constant.array, constant.name)
    if folded is not None:
        return folded
    name = constant.name or f"{build.name}.constant"
    return build.add_parameter(build.plain(view), constant.array, name, constant.encoding)


def _multiplied(build: Builder, view: View, constant: Constant) -> View:
    """Multiplies by a constant for each feature: in the layer before, or else in one of its own."""
    view = build.cover(build.settle(view))
    shape = np.broadcast_shapes(view.shape, constant.shape)
    if int(np.prod(shape)) == view.index.size:
        view = view.moved(view.index.reshape(shape))
        folded = build.rescale(view, constant.array, np.zeros(()), constant.name)
        if folded is None:
            folded = _diagonal(build, view, constant)
        if folded is not None:
            return folded
    raise UnsupportedNodeError(
        f"multiplies {view.layer.name!r} by a constant of shape {list(constant.shape)}, which is "
        "not one factor for each feature",
        "multiply by the same factors for all tokens",
    )


def _diagonal(build: Builder, view: View, constant: Constant) -> View | None:
    """A linear layer with a diagonal matrix; None if tokens have factors of their own.

    A row has one weight and a scale for itself, so that hardly anything is rounded. Quantisers
    that smooth activations write such factors behind a GELU.
    """
    factor, offset = view.affine
    gains = build.in_layout(view, build.weights(constant, "the factor"))
    if (gains != gains[0]).any():
        return None
    weight, bias = single(np.diag(gains[0] * factor)), single(gains[0] * offset)
    names = (constant.name,)
    layer = Linear(build.name, view.layer.shape, view.layer, weight, bias, parameters=names)
    return View(layer, view.index)


def _residual(build: Builder, lhs: View, rhs: View) -> View:
    """The sum of two activations."""
    if lhs.shape != rhs.shape:
        raise UnsupportedNodeError(
            f"adds activations of the shapes {list(lhs.shape)} and {list(rhs.shape)}",
            "repeating an activation is not supported: add activations of one shape",
        )
    lhs, rhs = build.plain(lhs), build.plain(rhs)
    alike = lhs.layer.shape == rhs.layer.shape and np.array_equal(lhs.index, rhs.index)
    if alike and lhs.index.size == lhs.layer.size:
        return View(Add(build.name, lhs.layer.shape, lhs.layer, rhs.layer), lhs.index)
    width = lhs.shape[-1] if lhs.shape else 1
    left, right = build.rows(lhs, width), build.rows(rhs, width)
    if not left.arranged(right):
        raise UnsupportedNodeError(
            "adds two activations whose elements are in different orders in memory",
            "keep the tokens in one order on both branches",
        )
    layer = Add(build.name, left.layer.shape, left.layer, right.layer)
    return View(layer, left.index(left.columns, width, lhs.shape))


def sum_of(build: Builder, lhs: Value, rhs: Value) -> Value:
    """lhs + rhs, outside of an Add node: Gemm's third operand, Sum."""
    return _apply(build, "Add", lhs, rhs)


def product_of(build: Builder, lhs: Value, rhs: Value) -> Value:
    """lhs · rhs, element by element, outside of a Mul node."""
    return _apply(build, "Mul", lhs, rhs)


def _apply(build: Builder, op: str, lhs: Value, rhs: Value) -> Value:
    proto = helper.make_node(op, ["a", "b"], ["y"], name=build.name)
    return binary(build, Node.of(proto), (lhs, rhs))[0]


def scaled(build: Builder, value: Value, factor: float) -> Value:
    """factor·value."""
    if factor == 1.0:
        return value
    if isinstance(value, Constant):
        return value.changed(factor * value.array)
    function = _compose(affine(factor, name=build.name), value.function)
    return value.mapped(function)


def variadic_sum(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Sum."""
    del node
    total, *others = [value for value in operands if value is not None]
    for other in others:
        total = sum_of(build, total, other)
    return [total]


_UNARY = [
    "Abs",
    "Ceil",
    "Celu",
    "Clip",
    "Elu",
    "Erf",
    "Exp",
    "Floor",
    "Gelu",
    "HardSigmoid",
    "HardSwish",
    "LeakyRelu",
    "Log",
    "Mish",
    "Neg",
    "Reciprocal",
    "Relu",
    "Round",
    "Selu",
    "Sigmoid",
    "Sign",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Swish",
    "Tanh",
    "ThresholdedRelu",
]
_BINARY = ["Add", "Div", "Max", "Min", "Mul", "Pow", "Sub"]

HANDLERS: Mapping[str, Handler] = (
    dict.fromkeys(_UNARY, unary) | dict.fromkeys(_BINARY, binary) | {"Sum": variadic_sum}
)
