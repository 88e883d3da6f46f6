# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The layers that the importer collects: what will become operations of `tinyattn`.

Weights follow the dialect: one row per output channel. Apart from the network's inputs, every
layer is a matrix, [tokens, width].
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tinyformer.onnx.graph import InputKind, Shape

Weights = NDArray[np.float32]
Gain = NDArray[np.float64]


def single(array: NDArray[np.float64]) -> Weights:
    """Folded weights, back in float32."""
    return np.ascontiguousarray(array, dtype=np.float32)


def rescaled(scales: Gain | None, gain: Gain) -> Gain | None:
    """The scales of weights that are multiplied row by row; none where a row becomes zero."""
    if scales is None or not gain.all():
        return None
    product: Gain = scales * np.abs(gain)
    return product


@dataclass(frozen=True, eq=False)
class Layer:
    """A value of the network, called by the name of its ONNX node.

    `parameters` names the initializers that made it, which may tell the module's path.
    """

    name: str
    shape: Shape
    parameters: tuple[str, ...] = field(default=(), kw_only=True, repr=False)

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape))

    @property
    def inputs(self) -> tuple[Layer, ...]:
        """The layers that this one reads."""
        return ()

    def rescaled(self, gain: Gain, offset: Gain) -> Layer | None:
        """The layer that gives gain·y + offset, channel by channel, at no cost; None without."""
        del gain, offset
        return None


@dataclass(frozen=True, eq=False)
class Input(Layer):
    """An input of the network, in its ONNX shape; `kind` is the ONNX type of its elements."""

    kind: InputKind = "float"


@dataclass(frozen=True, eq=False)
class Parameter(Layer):
    """A constant in the place of an activation: a class token, positions."""

    array: Weights = field(repr=False)


@dataclass(frozen=True, eq=False)
class _OneInput(Layer):
    """A layer that reads one other."""

    input: Layer = field(repr=False)

    @property
    def inputs(self) -> tuple[Layer, ...]:
        return (self.input,)


@dataclass(frozen=True, eq=False)
class Reshape(_OneInput):
    """The same elements in the same order."""


@dataclass(frozen=True, eq=False)
class Slice(_OneInput):
    """A block of a matrix, from row and column `offsets` on."""

    offsets: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Concat(Layer):
    """Matrices below one another (axis 0) or side by side (axis 1)."""

    parts: tuple[Layer, ...] = field(repr=False)
    axis: int

    @property
    def inputs(self) -> tuple[Layer, ...]:
        return self.parts


@dataclass(frozen=True, eq=False)
class Linear(_OneInput):
    """X·Wᵀ + b; `scales` are those of the weight's rows if it arrived quantised."""

    weight: Weights = field(repr=False)
    bias: Weights = field(repr=False)
    scales: Gain | None = field(default=None, repr=False)

    def rescaled(self, gain: Gain, offset: Gain) -> Linear:
        weight, bias = single(self.weight * gain[:, None]), single(self.bias * gain + offset)
        return replace(self, weight=weight, bias=bias, scales=rescaled(self.scales, gain))


@dataclass(frozen=True, eq=False)
class Conv(_OneInput):
    """A convolution; its input is [H, W, C], or [C, H, W] with `channels_first`."""

    weight: Weights = field(repr=False)
    bias: Weights = field(repr=False)
    strides: tuple[int, int]
    padding: tuple[int, int, int, int]
    channels_first: bool
    spatial: tuple[int, int]
    scales: Gain | None = field(default=None, repr=False)

    def rescaled(self, gain: Gain, offset: Gain) -> Conv:
        weight = single(self.weight * gain[:, None, None, None])
        bias = single(self.bias * gain + offset)
        return replace(self, weight=weight, bias=bias, scales=rescaled(self.scales, gain))


@dataclass(frozen=True, eq=False)
class LayerNorm(_OneInput):
    """Layer normalisation of each row."""

    weight: Weights = field(repr=False)
    bias: Weights = field(repr=False)
    epsilon: float

    def rescaled(self, gain: Gain, offset: Gain) -> LayerNorm:
        weight, bias = single(self.weight * gain), single(self.bias * gain + offset)
        return replace(self, weight=weight, bias=bias)


@dataclass(frozen=True)
class Projection:
    """Weight and bias of one of attention's four linear layers."""

    weight: Weights = field(repr=False)
    bias: Weights = field(repr=False)
    scales: Gain | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class Mhsa(_OneInput):
    """Multi-head self-attention.

    `projected` is False while the output projection has not been seen; it is the identity then.
    `nodes` are the projections' own nodes, which name the whole. `known` are the ranges of what
    exists inside, by name, if a quantised model says them.
    """

    query: Projection
    key: Projection
    value: Projection
    output: Projection
    heads: int
    scale: float
    projected: bool
    nodes: tuple[str, ...] = field(repr=False)
    known: Mapping[str, tuple[float, float]] = field(default_factory=dict, repr=False)

    def rescaled(self, gain: Gain, offset: Gain) -> Mhsa:
        weight = single(self.output.weight * gain[:, None])
        bias = single(self.output.bias * gain + offset)
        return replace(self, output=Projection(weight, bias, rescaled(self.output.scales, gain)))


@dataclass(frozen=True, eq=False)
class Lookup(_OneInput):
    """function(factor·x), element by element."""

    function: str
    factor: float


@dataclass(frozen=True, eq=False)
class Add(Layer):
    """The sum of two layers of one shape."""

    lhs: Layer = field(repr=False)
    rhs: Layer = field(repr=False)

    @property
    def inputs(self) -> tuple[Layer, ...]:
        return (self.lhs, self.rhs)


@dataclass(frozen=True, eq=False)
class Softmax(_OneInput):
    """Softmax of each row."""


@dataclass(frozen=True, eq=False)
class Pool(_OneInput):
    """Mean or maximum over the rows."""

    kind: Literal["mean", "max"]


@dataclass(frozen=True, eq=False)
class Embedding(_OneInput):
    """Rows of a table by their numbers, which are the input; `known` is the table's range.

    The table is `coded` while it holds integers of which the scale has not been seen.
    """

    table: Weights = field(repr=False)
    known: tuple[float, float] | None = None
    coded: Literal["int8", "uint8"] | None = None


def in_order(outputs: Sequence[Layer]) -> Iterator[Layer]:
    """The layers that the outputs need, each after its inputs."""
    done: set[Layer] = set()
    stack = [(layer, iter(layer.inputs)) for layer in reversed(outputs)]
    while stack:
        layer, inputs = stack[-1]
        pending = next((item for item in inputs if item not in done), None)
        if pending is not None:
            stack.append((pending, iter(pending.inputs)))
            continue
        stack.pop()
        if layer not in done:
            done.add(layer)
            yield layer
