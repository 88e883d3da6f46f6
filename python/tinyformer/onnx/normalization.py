# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layer normalisation, as one node or in pieces.

In pieces, it is recognised by meaning: a row's mean, the differences from it, the mean of their
squares, and the quotient. The factors and biases behind go into the layer like any others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tinyformer.onnx.builder import Builder, Doubles
from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.functions import GRID, Function, affine
from tinyformer.onnx.graph import Node
from tinyformer.onnx.handler import Handler
from tinyformer.onnx.layers import LayerNorm, single
from tinyformer.onnx.values import (
    Centred,
    Operands,
    RowMean,
    RowVariance,
    Value,
    View,
    whole,
)

DEFAULT_EPSILON = 1e-5


def layer_normalization(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """LayerNormalization over the last axis."""
    view, scale, bias = (*operands, None)[:3]
    if not isinstance(view, View):
        raise UnsupportedNodeError(
            "normalises a constant by weights computed from the input", "fold it"
        )
    axis = node.attributes.get("axis", -1) % len(view.shape)
    if axis != len(view.shape) - 1:
        raise UnsupportedNodeError(
            f"normalises over the last {len(view.shape) - axis} axes",
            "normalise each token: nn.LayerNorm(features)",
        )
    width = view.shape[-1]
    weights = build.weights(scale, "the weight")
    biases = np.zeros(width) if bias is None else build.weights(bias, "the bias")
    epsilon = node.attributes.get("epsilon", DEFAULT_EPSILON)
    both = [np.broadcast_to(array.ravel(), width) for array in (weights, biases)]
    return [normalized(build, view, epsilon, *both)]


def normalized(build: Builder, view: View, epsilon: float, weight: Doubles, bias: Doubles) -> View:
    """Layer normalisation of the last axis of a view."""
    view = build.settle(view)
    factor, _ = view.affine
    if factor == 0.0:
        raise UnsupportedNodeError("normalises a constant", "check the model")
    rows = build.rows(view, view.shape[-1])
    # (a·x - a·mean) / √(a²·variance + ε) = sign(a) · (x - mean) / √(variance + ε/a²)
    weights, biases = np.empty(len(rows.columns)), np.empty(len(rows.columns))
    weights[rows.columns], biases[rows.columns] = np.sign(factor) * weight, bias
    layer = LayerNorm(
        build.name,
        rows.layer.shape,
        rows.layer,
        single(weights),
        single(biases),
        epsilon / factor**2,
    )
    return View(layer, rows.index(rows.columns, layer.shape[1], view.shape))


def row_mean(build: Builder, view: View, shape: tuple[int, ...]) -> View:
    """The mean over the features, which may be the first or the third step of a normalisation."""
    rows = view.shape[:-1]
    if isinstance(view.layer, Centred):
        gain = _square_gain(view)
        if gain is None or not _natural(view):
            raise UnsupportedNodeError(
                "averages another function of the differences from the mean than their square",
                "use nn.LayerNorm",
            )
        layer = RowVariance(build.name, rows, view.layer.source)
        return whole(layer, shape).mapped(affine(gain, name=build.name))
    return whole(RowMean(build.name, rows, view), shape)


def _natural(view: View) -> bool:
    return np.array_equal(view.index.ravel(), np.arange(view.layer.size))


def _square_gain(view: View) -> float | None:
    """g if the function is g·x²."""
    samples = view.function.samples
    gain = float(samples[-1] / GRID[-1] ** 2)
    return gain if np.allclose(samples, gain * GRID**2, rtol=1e-6, atol=1e-9) else None


def combine(build: Builder, op: str, lhs: View, rhs: View) -> View | None:
    """A step of a normalisation in pieces: Sub of the mean, Div by the deviation, or their Mul."""
    if op == "Mul" and isinstance(rhs.layer, Centred):
        lhs, rhs = rhs, lhs
    if op == "Sub" and isinstance(rhs.layer, RowMean):
        return _centred(build, lhs, rhs, rhs.layer)
    if isinstance(lhs.layer, Centred) and isinstance(rhs.layer, RowVariance):
        return _quotient(build, op, lhs, rhs, lhs.layer, rhs.layer)
    return None


def _centred(build: Builder, view: View, mean: View, layer: RowMean) -> View:
    own = layer.source.equals(view) and mean.function.is_identity
    if not own or mean.shape != (*view.shape[:-1], 1):
        raise layer.refuse()
    key = ("centred", view.layer, view.index.tobytes(), view.function.samples.tobytes())
    centred = build.cached(key, lambda: Centred(build.name, view.shape, view))
    return whole(centred)


def _quotient(
    build: Builder, op: str, lhs: View, rhs: View, centred: Centred, variance: RowVariance
) -> View:
    """(x - mean) / √(variance + ε), the root being a function of the variance so far."""
    gain, denominator = lhs.function.affine, _radicand(op, rhs.function)
    own = variance.source.equals(centred.source) and _natural(lhs) and _natural(rhs)
    if gain is None or gain[1] or not own or rhs.shape != (*lhs.shape[:-1], 1):
        raise variance.refuse()
    if denominator is None:
        raise UnsupportedNodeError(
            "divides by another function of the variance than √(variance + ε)", "use nn.LayerNorm"
        )
    slope, offset = denominator
    width = lhs.shape[-1]
    weight = np.full(width, gain[0] / np.sqrt(slope))
    return normalized(build, centred.source, offset / slope, weight, np.zeros(width))


def _radicand(op: str, function: Function) -> tuple[float, float] | None:
    """(a, b) if the function of the variance v is √(a·v + b), or one over that for Mul."""
    start = len(GRID) // 2  # variances are not negative
    variances = GRID[start:]
    with np.errstate(all="ignore"):  # 1/0
        squares = function.samples[start:] ** (2 if op == "Div" else -2)
    if op not in ("Div", "Mul") or not np.isfinite(squares).all():
        return None
    offset = float(squares[0])
    slope = float(squares[-1] - offset) / float(variances[-1])
    straight = np.allclose(squares, slope * variances + offset, rtol=1e-6, atol=0)
    return (slope, offset) if straight and slope > 0 and offset >= 0 else None


HANDLERS: Mapping[str, Handler] = {"LayerNormalization": layer_normalization}
