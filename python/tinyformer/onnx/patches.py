# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Linear layers on rearranged data that are convolutions in truth.

A patch embedding may be written as a convolution, or as a rearrangement of the image into patches
and a linear layer. The second moves the data; the first reads them where they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyformer.onnx.builder import Builder, Doubles
from tinyformer.onnx.graph import Shape
from tinyformer.onnx.layers import Conv, Layer, Reshape, single
from tinyformer.onnx.values import Index, View

NO_PADDING = (0, 0, 0, 0)


def linear_on_patches(
    build: Builder, view: View, weight: Doubles, bias: Doubles, scales: Doubles | None = None
) -> View | None:
    """X·Wᵀ + b as a convolution of the layer that the plain view rearranges; None if it is none."""
    source = view.layer.input if isinstance(view.layer, Reshape) else view.layer
    for shape in _images(source.shape):
        index = view.index.reshape(-1, view.shape[-1])
        result = _on_image(build, source, shape, index, _Weights(weight, bias, scales))
        if result is not None:
            return result.moved(result.index.reshape(*view.shape[:-1], len(weight)))
    return None


def _images(shape: Shape) -> list[Shape]:
    """Readings of a shape as three dimensions, the first or the last being the channels."""
    dims = shape
    while len(dims) > 1 and dims[0] == 1:
        dims = dims[1:]
    if len(dims) > 3:
        return []
    missing = (1,) * (3 - len(dims))
    return [(*dims, *missing), (*missing, *dims)]


@dataclass(frozen=True, eq=False)
class _Weights:
    """A linear layer's weight and bias, and the scales of the weight's rows, if it has them."""

    weight: Doubles
    bias: Doubles
    scales: Doubles | None


def _on_image(
    build: Builder, source: Layer, shape: Shape, index: Index, weights: _Weights
) -> View | None:
    """The convolution, if element (t, k) lies at start[t] + offset[k] in every dimension."""
    weight, bias = weights.weight, weights.bias
    places = np.stack(np.unravel_index(index, shape))
    starts, offsets = places[:, :, 0] - places[:, :1, 0], places[:, 0, :]
    regular = starts[:, :, None] + offsets[:, None, :]
    if not np.array_equal(regular, places) or offsets.min() < 0:
        return None
    kernel = [int(extent) for extent in offsets.max(1) + 1]
    for channels_first, order in ((False, (0, 1, 2)), (True, (1, 2, 0))):
        vertical, horizontal, channel = order
        if starts[channel].any() or kernel[channel] != shape[channel]:
            continue
        down = _positions(starts[vertical], kernel[vertical], shape[vertical])
        right = _positions(starts[horizontal], kernel[horizontal], shape[horizontal])
        if down is None or right is None or len(index) != down.count * right.count:
            continue
        kernels = np.zeros((len(weight), *(kernel[axis] for axis in order)))
        np.add.at(kernels, (slice(None), *(offsets[axis] for axis in order)), weight)
        layer = Conv(
            build.name,
            (len(index), len(weight)),
            build.reshape(source, shape),
            single(kernels),
            single(bias),
            (down.stride, right.stride),
            NO_PADDING,
            channels_first,
            (down.count, right.count),
            weights.scales,
        )
        tokens = down.position * right.count + right.position
        return View(layer, tokens[:, None] * len(weight) + np.arange(len(weight)))
    return None


@dataclass(frozen=True, eq=False)
class _Positions:
    """Each token's position along one dimension, their number, and the distance of neighbours."""

    position: Index
    count: int
    stride: int


def _positions(starts: Index, kernel: int, extent: int) -> _Positions | None:
    used = np.unique(starts)
    stride = int(used[1] - used[0]) if len(used) > 1 else extent
    count = (extent - kernel) // stride + 1
    if not np.array_equal(used, np.arange(count) * stride):
        return None
    return _Positions(starts // stride, count, stride)
