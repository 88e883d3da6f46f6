# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the importer knows about an ONNX value while it walks the graph.

A value is a constant or a *view*: some elements of a layer, in some order, with a function of one
variable on top. `Reshape`, `Transpose`, `Split`, `Gather` and their kin only change the order, so
any chain of them costs nothing and hides nothing: when a layer reads the view, the order tells
which rows and columns, which head and which lane each element is.

Intermediate results that exist only inside a larger layer - attention's scores, a row's mean - are
views of *virtual* layers. They may be consumed by their pattern and by nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.functions import IDENTITY, Function
from tinyformer.onnx.graph import Array, Shape
from tinyformer.onnx.layers import Layer, Softmax
from tinyformer.onnx.ranges import Encoding, Range

Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Constant:
    """An array that is known at compile time; `name` is its initializer's.

    If it arrived quantised, its elements are integers times those of `scale`, and `encoding` is
    that of all of them, if they have one.
    """

    array: Array = field(repr=False)
    name: str = ""
    scale: Array | None = field(default=None, repr=False)
    encoding: Encoding | None = None

    @property
    def shape(self) -> Shape:
        """The ONNX shape."""
        return self.array.shape

    def moved(self, move: Callable[[Array], Array]) -> Constant:
        """The same elements, or some of them, elsewhere."""
        scale = None if self.scale is None else move(self.scale)
        return replace(self, array=move(self.array), scale=scale)

    @property
    def swapped(self) -> Constant:
        """The same, its last two axes exchanged."""
        return self.moved(lambda array: array.swapaxes(-1, -2))

    def changed(self, array: Array) -> Constant:
        """Other numbers in its place."""
        return replace(self, array=array, scale=None, encoding=None)


@dataclass(frozen=True, eq=False)
class View:
    """function(layer's elements), `index` being their numbers in the value's ONNX shape.

    `sole` says that nothing else reads the layer, so that it may be changed in place of the value.
    `known` is the value's range, if a quantised model says it; `coded` is there between
    QuantizeLinear and DequantizeLinear, where the integers stand for the value.
    """

    layer: Layer
    index: Index = field(repr=False)
    function: Function = field(default=IDENTITY, repr=False)
    sole: bool = True
    known: Range | None = None
    coded: Encoding | None = None

    @property
    def shape(self) -> Shape:
        """The ONNX shape."""
        return self.index.shape

    def moved(self, index: Array) -> View:
        """The same elements, or some of them, elsewhere."""
        return replace(self, index=index.astype(np.int64, copy=False))

    @property
    def swapped(self) -> View:
        """The same, its last two axes exchanged."""
        return self.moved(self.index.swapaxes(-1, -2))

    def mapped(self, function: Function) -> View:
        """The same elements under another function."""
        return replace(self, function=function, known=None)

    def same_elements(self, other: View) -> bool:
        """Whether both read the same elements in the same order, whatever their functions."""
        return self.layer is other.layer and np.array_equal(self.index, other.index)

    def equals(self, other: View) -> bool:
        """Whether both are the same value."""
        return self.same_elements(other) and self.function.equals(other.function)

    @property
    def affine(self) -> tuple[float, float]:
        """(a, b) of the function a·x + b; other functions have been settled before."""
        coefficients = self.function.affine
        assert coefficients is not None, "Builder.settle comes first"
        return coefficients


Value = Constant | View
Operands = tuple[Value | None, ...]


def whole(layer: Layer, shape: Shape | None = None) -> View:
    """All elements of a layer in its own order."""
    return View(layer, np.arange(layer.size, dtype=np.int64).reshape(shape or layer.shape))


@dataclass(frozen=True, eq=False)
class Virtual(Layer):
    """Part of a larger layer."""

    what: ClassVar[str]
    within: ClassVar[str]

    def refuse(self) -> UnsupportedNodeError:
        """Says that the value is used by something else."""
        return UnsupportedNodeError(
            f"reads {self.what} of {self.name!r}, which exist only inside {self.within}",
            f"keep to the usual form of {self.within}, and do not use its inner values elsewhere",
        )


NO_ATTENTION_POOLING = (
    "attention pooling (sequence pooling, learned queries) is not supported: pool by the mean, the "
    "maximum, or a class token"
)


def pooling_by_attention(*factors: View) -> UnsupportedNodeError | None:
    """Says that a product weights tokens by a softmax outside of self-attention, if it does."""
    if not any(isinstance(view.layer, Softmax) for view in factors):
        return None
    return UnsupportedNodeError(
        "weights activations by a softmax that is not self-attention's", NO_ATTENTION_POOLING
    )


@dataclass(frozen=True, eq=False)
class Scores(Virtual):
    """Products of queries [H, S, P] and keys [H, S, P]."""

    what = "the scores"
    within = "self-attention"
    query: View
    key: View

    def refuse(self) -> UnsupportedNodeError:
        return pooling_by_attention(self.query, self.key) or super().refuse()


@dataclass(frozen=True, eq=False)
class Probabilities(Virtual):
    """Softmax of scale·scores, which are [H, queries, keys] and have the range `known`."""

    what = "the probabilities"
    within = "self-attention"
    query: View
    key: View
    scale: float
    known: Range | None


@dataclass(frozen=True, eq=False)
class RowMean(Virtual):
    """The mean of each row of `source`."""

    what = "the means over the features"
    within = "layer normalisation"
    source: View


@dataclass(frozen=True, eq=False)
class Centred(Virtual):
    """`source` minus its rows' means."""

    what = "the differences from the mean"
    within = "layer normalisation"
    source: View


@dataclass(frozen=True, eq=False)
class RowVariance(Virtual):
    """The variance of each row of `source`."""

    what = "the variances"
    within = "layer normalisation"
    source: View
