# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layers of integer networks.

A byte stands for itself, or, in an `unsigned` layer, for 128 more: then its values are 0 to 255.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from tinyformer.onnx.integers.formulas import SIGNED, Ints, Requantisation
from tinyformer.onnx.layers import (
    Concat,
    Embedding,
    Input,
    Layer,
    Parameter,
    Pool,
    Reshape,
    Slice,
)

# How a softmax normalises: iSoftmax divides, ITAMax shifts.
SoftmaxKind: TypeAlias = Literal["divide", "shift"]


@dataclass(frozen=True, eq=False)
class IntegerLayer(Layer):
    """A layer whose result has its own range."""

    unsigned: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, eq=False)
class _OneInput(IntegerLayer):
    input: Layer = field(repr=False)

    @property
    def inputs(self) -> tuple[Layer, ...]:
        return (self.input,)


@dataclass(frozen=True, eq=False)
class IntegerLinear(_OneInput):
    """requant(X·Wᵀ + b); with `heads`, [heads, tokens, width] instead of [tokens, channels]."""

    weight: Ints = field(repr=False)
    bias: Ints = field(repr=False)
    requant: Requantisation = field(repr=False)
    heads: int = 0

    def split(self, channels: Ints) -> IntegerLinear:
        """The given channels, [heads, width], each head by itself."""
        flat = channels.ravel()
        requant = self.requant
        per_channel = replace(requant, mul=_at(requant.mul, flat), add=_at(requant.add, flat))
        return replace(
            self,
            shape=(len(channels), self.shape[0], channels.shape[1]),
            weight=self.weight[flat],
            bias=self.bias[flat],
            requant=per_channel,
            heads=len(channels),
        )


@dataclass(frozen=True, eq=False)
class LinearSums(_OneInput):
    """X·Wᵀ + b in 32 bits: what a network may end with."""

    weight: Ints = field(repr=False)
    bias: Ints = field(repr=False)


@dataclass(frozen=True, eq=False)
class IntegerConv(_OneInput):
    """requant of a convolution, see `Conv`."""

    weight: Ints = field(repr=False)
    bias: Ints = field(repr=False)
    strides: tuple[int, int]
    padding: tuple[int, int, int, int]
    channels_first: bool
    spatial: tuple[int, int]
    requant: Requantisation = field(repr=False)


@dataclass(frozen=True, eq=False)
class IntegerMatmul(IntegerLayer):
    """requant of lhs [B, M, K] times rhs [B, K, N], or [B, N, K] with `transposed`.

    The result is [B, M, N], or [M, B·N] if `merged`. Bytes of lhs are 0 to 255 if it is a softmax.
    """

    lhs: Layer = field(repr=False)
    rhs: Layer = field(repr=False)
    transposed: bool
    merged: bool
    requant: Requantisation = field(repr=False)

    @property
    def inputs(self) -> tuple[Layer, ...]:
        return (self.lhs, self.rhs)


@dataclass(frozen=True, eq=False)
class IntegerAdd(IntegerLayer):
    """requant(lhs + rhs)."""

    lhs: Layer = field(repr=False)
    rhs: Layer = field(repr=False)
    requant: Requantisation = field(repr=False)

    @property
    def inputs(self) -> tuple[Layer, ...]:
        return (self.lhs, self.rhs)


@dataclass(frozen=True, eq=False)
class Table(_OneInput):
    """Any function of a byte; the table holds values, in the order of the input's bytes."""

    table: Ints = field(repr=False)


@dataclass(frozen=True, eq=False)
class IntegerSoftmax(_OneInput):
    """iSoftmax or ITAMax along the last axis. Its bytes are 0 to 255 as they are, not 128 less."""

    kind: SoftmaxKind
    table: Ints = field(repr=False)
    levels: int


@dataclass(frozen=True, eq=False)
class IntegerLayerNorm(_OneInput):
    """iLayerNorm of each row."""

    weight: Ints = field(repr=False)
    bias: Ints = field(repr=False)
    shift: int


def is_unsigned(layer: Layer) -> bool:
    """Whether the values of a layer's bytes are 0 to 255."""
    if isinstance(layer, IntegerLayer):
        return layer.unsigned
    if isinstance(layer, Reshape | Slice | Pool):
        return is_unsigned(layer.input)
    if isinstance(layer, Concat):
        return any(is_unsigned(part) for part in layer.parts if not isinstance(part, Parameter))
    if isinstance(layer, Embedding):
        return bool(layer.table.max() > 127)
    return isinstance(layer, Input) and layer.kind == "uint8"


def is_sums(layer: Layer) -> bool:
    """Whether a layer has 32 bits, which only an output of the network may."""
    if isinstance(layer, Reshape):
        return is_sums(layer.input)
    return isinstance(layer, LinearSums)


def values_of(layer: Layer) -> Ints:
    """What the bytes -128 to 127 of a layer stand for."""
    return SIGNED + 128 if is_unsigned(layer) else SIGNED


def _at(numbers: Ints, channels: Ints) -> Ints:
    return numbers[channels] if numbers.size > 1 else numbers
