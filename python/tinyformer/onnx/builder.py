# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes layers out of views: settles functions, finds rows and columns, folds constants."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.functions import KNOWN, Match, affine, is_exact, recognise
from tinyformer.onnx.graph import Array, Node, Shape
from tinyformer.onnx.layers import Add, Input, Layer, Lookup, Parameter, Reshape, Slice, single
from tinyformer.onnx.ranges import Encoding, Range, Ranges
from tinyformer.onnx.values import Constant, Index, Value, View, Virtual

Doubles = NDArray[np.float64]

REORDERED = "keep the data in the order [batch, tokens, features] between layers"


@dataclass(frozen=True, eq=False)
class Rows:
    """A view as a matrix: element (i, j) is element (rows[i], columns[j]) of the layer.

    Both are permutations of all rows and all columns of the layer.
    """

    layer: Layer
    rows: Index
    columns: Index

    def index(self, columns: Index, width: int, shape: Shape) -> Index:
        """Element numbers of a result with the same rows and other columns."""
        return (self.rows[:, None] * width + columns).reshape(shape)

    def arranged(self, like: Rows) -> bool:
        """Whether both have their rows and columns in the same order."""
        return np.array_equal(self.rows, like.rows) and np.array_equal(self.columns, like.columns)


class Builder:
    """Layers for the node at hand. Equal requests give the same layer."""

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.node: Node | None = None
        self.ranges = Ranges()
        self._cache: dict[Hashable, Layer] = {}

    @property
    def name(self) -> str:
        """The name of the node at hand."""
        return self.node.name if self.node else ""

    def cached(self, key: Hashable, make: Callable[[], Layer]) -> Layer:
        """The layer made for an equal key before, or else a new one."""
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

    def reshape(self, layer: Layer, shape: Shape) -> Layer:
        """The layer in another shape; a reshape of a reshape is one."""
        source = layer.input if isinstance(layer, Reshape) else layer
        if source.shape == shape:
            return source
        return self.cached((source, shape), lambda: Reshape(source.name, shape, source))

    def matrix(self, layer: Layer) -> Layer:
        """The layer in rank 2; refuses what exists only inside a larger layer."""
        if isinstance(layer, Virtual):
            raise layer.refuse()
        if len(layer.shape) == 2:
            return layer
        width = layer.shape[-1] if layer.shape else 1
        return self.reshape(layer, (layer.size // width, width))

    def output(self, view: View) -> View:
        """A value that the network ends with."""
        return view

    def settle(self, view: View) -> View:
        """The view with its function made a layer, but for a factor and an offset."""
        view = replace(view, layer=self.matrix(view.layer))
        if view.function.affine is not None:
            return view
        match = recognise(view.function)
        if match is None or not is_exact(match, view.function):
            raise _unknown_function(match)
        name = view.function.name or self.name
        layer = view.layer
        lookup = self.cached(
            ("lookup", layer, view.function.samples.tobytes()),
            lambda: Lookup(name, layer.shape, layer, match.function, match.factor),
        )
        gained = affine(match.gain, name=name)
        return self._ranged(View(lookup, view.index, gained, sole=False), view.known)

    def plain(self, view: View) -> View:
        """The view with nothing on top of its layer."""
        view = self.settle(view)
        return view if view.function.is_identity else self._ranged(self._bare(view), view.known)

    def _bare(self, view: View) -> View:
        """The view with its factor and offset in layers."""
        folded = self.rescale(view, np.ones(()), np.zeros(()))
        if folded is not None:
            return folded
        (factor, offset), name = view.affine, view.function.name or self.name
        layer = view.layer
        if factor != 1.0:
            layer = self.cached(
                ("lookup", layer, factor),
                lambda: Lookup(name, layer.shape, layer, "identity", factor),
            )
        plain = View(layer, view.index, sole=False)
        if offset == 0.0:
            return plain
        return self.add_parameter(plain, np.full(plain.shape, offset), f"{name}.offset")

    def cover(self, view: View) -> View:
        """The view on a layer of which it reads each element once."""
        view = replace(view, layer=self.matrix(view.layer))
        if _reads_all(view):
            return view
        rows = self.rows(view, view.shape[-1] if view.shape else 1)
        width = rows.layer.shape[1]
        return replace(view, layer=rows.layer, index=rows.index(rows.columns, width, view.shape))

    def rows(self, view: View, width: int) -> Rows:
        """The view as a matrix of `width` columns, its function left aside."""
        return self._rows(self.matrix(view.layer), view.index.reshape(-1, width))

    def _rows(self, layer: Layer, index: Index) -> Rows:
        """The elements `index` of a matrix as rows and columns of it."""
        width = index.shape[1]
        # A matrix may also be rows of another width: the flattened tokens, a part of a vector.
        for candidate in (layer.shape[1], width, layer.size):
            if layer.size % candidate:
                continue
            row, column = np.divmod(index, candidate)
            if (row == row[:, :1]).all() and (column == column[:1]).all():
                shaped = self.reshape(layer, (layer.size // candidate, candidate))
                return self._block(shaped, row[:, 0], column[0])
        raise UnsupportedNodeError(
            f"needs the elements of {layer.name!r} in another order than they are in memory",
            REORDERED,
        )

    def _block(self, layer: Layer, rows: Index, columns: Index) -> Rows:
        """Cuts out the rows and columns that are used."""
        first_row, first_column = _start(rows, layer), _start(columns, layer)
        shape = (len(rows), len(columns))
        offsets = (first_row, first_column)
        part = layer
        if shape != layer.shape:
            part = self.cached(
                ("slice", layer, offsets, shape), lambda: Slice(self.name, shape, layer, offsets)
            )
        return Rows(part, rows - first_row, columns - first_column)

    def in_layout(self, view: View, array: Array) -> Doubles:
        """An array of the view's shape in the order of its layer, of which it reads everything."""
        flat = np.empty(view.layer.size)
        flat[view.index.ravel()] = np.broadcast_to(array, view.shape).ravel()
        return flat.reshape(view.layer.shape)

    def rescale(self, view: View, gain: Array, offset: Array, parameter: str = "") -> View | None:
        """gain·view + offset by the weights of its layer; None where that is not possible."""
        if not view.sole or not _reads_all(view):
            return None
        factor, shift = view.affine
        gains = self.in_layout(view, gain * factor)
        offsets = self.in_layout(view, gain * shift + offset)
        if (gains != gains[0]).any() or (offsets != offsets[0]).any():
            return None
        layer = view.layer.rescaled(gains[0], offsets[0])
        return None if layer is None else self.noted(View(layer, view.index), parameter)

    def noted(self, view: View, parameter: str) -> View:
        """The view, its layer knowing of one more parameter, if nothing else reads the layer."""
        layer = view.layer
        if not view.sole or isinstance(layer, Input | Virtual):
            return view
        named = replace(layer, parameters=(*layer.parameters, parameter))
        self.ranges.move(layer, named)
        return replace(view, layer=named)

    def annotate(self, view: View, known: Range) -> None:
        """Note what the range of a value says about the layer that it is a view of."""
        slope, offset = view.function.affine or (0.0, 0.0)
        if slope:
            low, high = sorted((end - offset) / slope for end in known)
            self.ranges.note(view.layer, (low, high), whole=_reads_all(view))

    def narrow(self, view: View, known: Range) -> None:
        """Take back a wider range that was annotated before."""
        if self.ranges.of(view.layer) is not None and view.function.is_identity:
            self.ranges.narrow(view.layer, known)

    def range_of(self, view: View) -> Range | None:
        """The range of a settled view, if a quantised model says it."""
        known = self.ranges.of(view.layer)
        if view.known is not None or known is None:
            return view.known
        slope, offset = view.affine
        low, high = sorted(slope * end + offset for end in known)
        return low, high

    def _ranged(self, view: View, known: Range | None) -> View:
        """A new view of a value of which the range may be known."""
        if known is not None:
            self.annotate(view, known)
        return replace(view, known=known)

    def add_parameter(
        self, view: View, array: Array, name: str, encoding: Encoding | None = None
    ) -> View:
        """A plain view that reads all of its layer, plus a constant of its shape."""
        values, layer = self.in_layout(view, array), view.layer
        if view.sole and isinstance(layer, Add) and isinstance(layer.rhs, Parameter):
            values, name, layer = values + layer.rhs.array, layer.rhs.name, layer.lhs
            encoding = None
        parameter = Parameter(name, layer.shape, single(values))
        if encoding is not None:
            self.ranges.note(parameter, encoding.range)
        return View(Add(self.name, layer.shape, layer, parameter), view.index)

    def weights(self, value: Value | None, what: str) -> Doubles:
        """A constant that becomes weights: known and finite."""
        if isinstance(value, View):
            raise UnsupportedNodeError(
                f"has {what} computed from the input", "only constant weights are supported"
            )
        assert value is not None, "ONNX requires the operand"
        wrong = np.argwhere(~np.isfinite(value.array))
        if len(wrong):
            place = wrong[0].tolist()
            raise UnsupportedNodeError(
                f"has {what} {value.name!r} with {len(wrong)} value(s) that are not finite: "
                f"{value.array[tuple(place)]} at {place}",
                "see whether the training diverged or the file is damaged",
            )
        return value.array.astype(np.float64)


def _reads_all(view: View) -> bool:
    """Whether the view reads each element of its layer, and each once."""
    return np.array_equal(np.sort(view.index, axis=None), np.arange(view.layer.size))


def _start(used: Index, layer: Layer) -> int:
    """The first of the rows or columns, which must be neighbours and each used once."""
    first = int(used.min())
    if np.array_equal(np.sort(used), np.arange(first, first + len(used))):
        return first
    if len(np.unique(used)) < len(used):
        raise UnsupportedNodeError(
            f"repeats rows or columns of {layer.name!r}", "remove the repetition"
        )
    raise UnsupportedNodeError(
        f"picks rows or columns of {layer.name!r} that are not neighbours",
        "pick one contiguous range, or concatenate slices",
    )


def _unknown_function(match: Match | None) -> UnsupportedNodeError:
    known = ", ".join(KNOWN)
    closest = ""
    if match is not None:
        closest = (
            f"; the closest, {match.function}({match.factor:.4g}·x), is off by {match.error:.2g}"
        )
    return UnsupportedNodeError(
        f"reads a function of one variable that is none of {known}{closest}",
        f"use one of {known} as activation",
    )


def constant(value: Value | None, what: str) -> Array:
    """An operand that must be known at compile time."""
    if isinstance(value, Constant):
        return value.array
    raise UnsupportedNodeError(f"has {what} that depend on the input", "make them constant")


def row_scales(scale: Array | None) -> Doubles | None:
    """The scale of each row of a weight; None if it has none, or several in a row."""
    if scale is None:
        return None
    rows = scale.reshape(len(scale), -1)
    return rows[:, 0] if (rows == rows[:, :1]).all() else None
