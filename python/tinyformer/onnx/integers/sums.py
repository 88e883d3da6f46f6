# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Numbers of 32 bits, which a RequantShift makes bytes of. They are never in memory as such."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.graph import Array
from tinyformer.onnx.integers.formulas import Ints, Requantisation
from tinyformer.onnx.integers.layers import (
    IntegerAdd,
    IntegerConv,
    IntegerLinear,
    IntegerMatmul,
    Table,
)
from tinyformer.onnx.layers import Conv, Layer
from tinyformer.onnx.values import View, Virtual

ONE_FACTOR = "use one factor and one addend for all elements"


@dataclass(frozen=True, eq=False)
class Sums(Virtual):
    """What a layer computes before its RequantShift."""

    what = "the 32-bit sums"
    within = "a layer that ends with RequantShift"

    def refuse(self) -> UnsupportedNodeError:
        return UnsupportedNodeError(
            f"reads {self.what} of {self.name!r}",
            "a RequantShift node has to bring them to 8 bits first",
        )

    def requantised(self, name: str, view: View, requant: Requantisation) -> View:
        """The values of a view of these sums, in bytes; `requant` has the view's shape."""
        raise NotImplementedError

    def biased(self, name: str, view: View, bias: Array) -> View:
        """The values of a view of these sums plus a constant."""
        del name, view, bias
        raise UnsupportedNodeError(
            f"adds a constant to {self.what} of {self.name!r}",
            "only linear layers and convolutions have a bias",
        )


@dataclass(frozen=True, eq=False)
class _Channels(Sums):
    """Products with weights, [tokens, channels], plus a bias for each channel."""

    weight: Ints = field(repr=False)
    bias: Ints = field(repr=False)

    def biased(self, name: str, view: View, bias: Array) -> View:
        addend = numbers_of(view.index % self.shape[1], bias, self.shape[1])
        return replace(view, layer=replace(self, name=name, bias=self.bias + addend))


@dataclass(frozen=True, eq=False)
class LinearProduct(_Channels):
    """X·Wᵀ + b."""

    input: Layer = field(repr=False)

    def requantised(self, name: str, view: View, requant: Requantisation) -> View:
        channels, view = self._used(view)
        layer = IntegerLinear(
            name,
            (self.shape[0], len(channels)),
            self.input,
            self.weight[channels],
            self.bias[channels],
            by_channel(view, len(channels), requant),
            parameters=self.parameters,
            unsigned=not requant.levels.signed,
        )
        return replace(view, layer=layer)

    def _used(self, view: View) -> tuple[Ints, View]:
        """The channels that a view reads, and the view on these alone."""
        row, column = np.divmod(view.index, self.shape[1])
        channels = np.unique(column)
        place = np.searchsorted(channels, column)
        return channels, view.moved(row * len(channels) + place)


@dataclass(frozen=True, eq=False)
class ConvProduct(_Channels):
    """A convolution; `conv` says everything but the numbers."""

    conv: Conv = field(repr=False)

    def requantised(self, name: str, view: View, requant: Requantisation) -> View:
        conv = self.conv
        layer = IntegerConv(
            name,
            self.shape,
            conv.input,
            self.weight,
            self.bias,
            conv.strides,
            conv.padding,
            conv.channels_first,
            conv.spatial,
            by_channel(view, self.shape[1], requant),
            parameters=self.parameters,
            unsigned=not requant.levels.signed,
        )
        return replace(view, layer=layer)


@dataclass(frozen=True, eq=False)
class MatmulProduct(Sums):
    """Products of activations, [B, M, N], see `IntegerMatmul`; `context` if lhs is a softmax."""

    lhs: Layer = field(repr=False)
    rhs: Layer = field(repr=False)
    transposed: bool
    context: bool

    def requantised(self, name: str, view: View, requant: Requantisation) -> View:
        batch, rows, columns = self.shape
        entry, row, column = np.unravel_index(view.index, self.shape)
        mul, add = (numbers_of(entry, array, batch) for array in (requant.mul, requant.add))
        index = view.index
        shape = self.shape
        if self.context:  # heads side by side, as the output projection reads them
            index = (row * batch + entry) * columns + column
            shape = (rows, batch * columns)
        layer = IntegerMatmul(
            name,
            shape,
            self.lhs,
            self.rhs,
            self.transposed,
            self.context,
            replace(requant, mul=mul, add=add),
            unsigned=not requant.levels.signed,
        )
        return View(layer, index)


@dataclass(frozen=True, eq=False)
class Addition(Sums):
    """lhs + rhs, element by element."""

    what = "the sums"
    lhs: Layer = field(repr=False)
    rhs: Layer = field(repr=False)

    def requantised(self, name: str, view: View, requant: Requantisation) -> View:
        layer = IntegerAdd(
            name,
            self.shape,
            self.lhs,
            self.rhs,
            uniform(requant),
            unsigned=not requant.levels.signed,
        )
        return replace(view, layer=layer)


@dataclass(frozen=True, eq=False)
class Curve(Sums):
    """A function of one byte, its values in the order of the input's bytes."""

    what = "the 32-bit results"
    input: Layer = field(repr=False)
    values: Ints = field(repr=False)

    def requantised(self, name: str, view: View, requant: Requantisation) -> View:
        table = uniform(requant)(self.values)
        unsigned = not requant.levels.signed
        return replace(view, layer=Table(name, self.shape, self.input, table, unsigned=unsigned))


def by_channel(view: View, channels: int, requant: Requantisation) -> Requantisation:
    """The requantisation with a number for each channel of the view's layer."""
    channel = view.index % channels
    mul, add = (numbers_of(channel, array, channels) for array in (requant.mul, requant.add))
    return replace(requant, mul=mul, add=add)


def numbers_of(place: Array, array: Array, count: int) -> Ints:
    """The number that the elements at each of `count` places have in common."""
    spread = np.broadcast_to(array, place.shape)
    numbers = np.zeros(count, np.int64)
    numbers[place.ravel()] = spread.ravel()
    if not np.array_equal(numbers[place], spread):
        raise UnsupportedNodeError(
            "has numbers that differ within a channel", "use one number for each channel"
        )
    return numbers


def uniform(requant: Requantisation) -> Requantisation:
    """The requantisation with one number for all elements."""
    if np.unique(requant.mul).size > 1 or np.unique(requant.add).size > 1:
        raise UnsupportedNodeError("has numbers that differ between elements", ONE_FACTOR)
    mul, add = (array.ravel()[:1] for array in (requant.mul, requant.add))
    return replace(requant, mul=mul, add=add)
