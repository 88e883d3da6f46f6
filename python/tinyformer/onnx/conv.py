# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Convolutions: patch embeddings in two dimensions and in one, and what follows them in stems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinyformer.onnx import elementwise
from tinyformer.onnx.builder import REORDERED, Builder, Doubles, row_scales
from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.graph import Node
from tinyformer.onnx.handler import Handler
from tinyformer.onnx.layers import Conv, Layer, rescaled, single
from tinyformer.onnx.values import Constant, Operands, Value, View

BATCH_EPSILON = 1e-5
Padding = tuple[int, int, int, int]


@dataclass(frozen=True)
class _Geometry:
    """Vertical, then horizontal; padding is top, left, bottom, right."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    padding: Padding

    def transposed(self) -> _Geometry:
        """The same with rows and columns exchanged."""
        top, left, bottom, right = self.padding
        return _Geometry(self.kernel[::-1], self.strides[::-1], (left, top, right, bottom))

    def result(self, height: int, width: int) -> tuple[int, int]:
        """The number of positions of the kernel."""
        top, left, bottom, right = self.padding
        return (
            (height + top + bottom - self.kernel[0]) // self.strides[0] + 1,
            (width + left + right - self.kernel[1]) // self.strides[1] + 1,
        )


@dataclass(frozen=True)
class _Layout:
    """How [channels, height, width] lie in memory."""

    order: tuple[int, int, int]
    channels_first: bool
    transposed: bool


# Tokens, that is channels last, is what other layers give; so it is tried first.
_LAYOUTS = (
    _Layout((1, 2, 0), channels_first=False, transposed=False),
    _Layout((0, 1, 2), channels_first=True, transposed=False),
    _Layout((2, 1, 0), channels_first=False, transposed=True),
    _Layout((0, 2, 1), channels_first=True, transposed=True),
)


def conv(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Conv of one sample, group 1, dilation 1."""
    view, kernel, bias = (*operands, None)[:3]
    if not isinstance(view, View):
        raise UnsupportedNodeError(
            "convolves a constant by a kernel computed from the input", "fold it"
        )
    weight = build.weights(kernel, "the weight")
    _check(view, node, weight)
    one_dimension = weight.ndim == 3
    if one_dimension:
        weight = weight[:, :, None, :]
    offset = np.zeros(len(weight)) if bias is None else build.weights(bias, "the bias")
    geometry = _geometry(node, view.shape[2:], (weight.shape[2], weight.shape[3]))
    image = view.moved(view.index.reshape(view.shape[1], -1, view.shape[-1]))
    scales = row_scales(kernel.scale) if isinstance(kernel, Constant) else None
    result = convolution(build, image, weight, offset, geometry, scales)
    if one_dimension:
        return [result.moved(result.index.reshape(1, len(weight), -1))]
    return [result.moved(result.index[None])]


def _check(view: View, node: Node, weight: Doubles) -> None:
    if weight.ndim not in (3, 4):
        raise UnsupportedNodeError(
            f"convolves in {weight.ndim - 2} dimensions", "use Conv1d or Conv2d"
        )
    if view.shape[0] != 1:
        raise UnsupportedNodeError(f"convolves a batch of {view.shape[0]}", "export with batch 1")
    group = node.attributes.get("group", 1)
    if group != 1:
        raise UnsupportedNodeError(
            f"is a convolution in {group} groups (depthwise, if there are as many channels)",
            "use groups=1, or a linear layer",
        )
    if any(step != 1 for step in node.attributes.get("dilations", [])):
        raise UnsupportedNodeError("is a dilated convolution", "use dilation=1")


def _geometry(node: Node, extents: tuple[int, ...], kernel: tuple[int, int]) -> _Geometry:
    rank = len(extents)
    strides = list(node.attributes.get("strides", [1] * rank))
    pads = list(node.attributes.get("pads", [0] * 2 * rank))
    mode = node.attributes.get("auto_pad", "NOTSET")
    if mode.startswith("SAME"):
        pads = _same(extents, kernel[-rank:], strides, upper=mode == "SAME_UPPER")
    elif mode == "VALID":
        pads = [0] * 2 * rank
    if rank == 1:
        return _Geometry(kernel, (1, strides[0]), (0, pads[0], 0, pads[1]))
    return _Geometry(kernel, (strides[0], strides[1]), (pads[0], pads[1], pads[2], pads[3]))


def _same(
    extents: Sequence[int], kernel: Sequence[int], strides: Sequence[int], upper: bool
) -> list[int]:
    """The padding for ⌈extent / stride⌉ results; an odd one goes to the end if `upper`."""
    totals = [
        max((-(-extent // stride) - 1) * stride + size - extent, 0)
        for extent, size, stride in zip(extents, kernel, strides, strict=True)
    ]
    less, more = [total // 2 for total in totals], [total - total // 2 for total in totals]
    return less + more if upper else more + less


def convolution(
    build: Builder,
    image: View,
    weight: Doubles,
    bias: Doubles,
    geometry: _Geometry,
    scales: Doubles | None = None,
) -> View:
    """[O, OH, OW] from [C, H, W]; the weight is [O, C, KH, KW], `scales` are those of its rows."""
    image = build.settle(image)
    factor, offset = image.affine
    if offset and any(geometry.padding):  # the padding is zero after the offset, not before
        image = build.plain(image)
        factor, offset = image.affine
    image = build.cover(image)
    layout = _layout(image)
    _, height, width = image.shape
    rows, columns = geometry.result(height, width)
    bias = bias + offset * weight.sum((1, 2, 3))
    weight = factor * weight.transpose(0, 2, 3, 1)
    outputs = len(weight)
    grid = (rows, columns)
    if layout.transposed:
        weight, geometry, grid = weight.swapaxes(1, 2), geometry.transposed(), (columns, rows)
    layer = Conv(
        build.name,
        (rows * columns, outputs),
        _as_image(build, image, layout),
        single(weight),
        single(bias),
        geometry.strides,
        geometry.padding,
        layout.channels_first,
        grid,
        rescaled(scales, np.full(outputs, factor)),
    )
    order = (2, 1, 0) if layout.transposed else (2, 0, 1)
    return View(layer, np.arange(layer.size).reshape(*grid, outputs).transpose(order))


def _layout(image: View) -> _Layout:
    natural = np.arange(image.index.size)
    for layout in _LAYOUTS:
        if np.array_equal(image.index.transpose(layout.order).ravel(), natural):
            return layout
    raise UnsupportedNodeError("convolves data that are in no image's order in memory", REORDERED)


def _as_image(build: Builder, image: View, layout: _Layout) -> Layer:
    shape = tuple(image.shape[axis] for axis in layout.order)
    return build.reshape(image.layer, shape)


def batch_normalization(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """BatchNormalization of a trained network: one factor and one offset for each channel."""
    view, *parameters = operands
    if not isinstance(view, View):
        raise UnsupportedNodeError(
            "normalises a constant by weights computed from the input", "fold it"
        )
    names = ("the scale", "the bias", "the mean", "the variance")
    scale, bias, mean, variance = (
        build.weights(value, name) for value, name in zip(parameters, names, strict=True)
    )
    gain = scale / np.sqrt(variance + node.attributes.get("epsilon", BATCH_EPSILON))
    shape = (-1,) + (1,) * (len(view.shape) - 2)
    factors = Constant(gain.reshape(shape), build.name)
    offsets = Constant((bias - mean * gain).reshape(shape), build.name)
    product = elementwise.product_of(build, view, factors)
    return [elementwise.sum_of(build, product, offsets)]


HANDLERS: Mapping[str, Handler] = {"BatchNormalization": batch_normalization, "Conv": conv}
