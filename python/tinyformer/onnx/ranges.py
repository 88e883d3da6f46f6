# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a model that arrives quantised says about the ranges of its activations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinyformer.onnx.layers import Concat, Layer, Reshape, Slice

Range = tuple[float, float]


@dataclass(frozen=True)
class Encoding:
    """real = scale · (integer - zero_point), of int8, or of uint8 if not `signed`."""

    scale: float
    zero_point: int
    signed: bool

    @property
    def range(self) -> Range:
        """What the integers reach; scale and zero point can be computed back without rounding."""
        first = -128 if self.signed else 0
        low, high = first - self.zero_point, first + 255 - self.zero_point
        return self.scale * low, self.scale * high


class Ranges:
    """Ranges of layers, gathered while the graph is walked.

    A range of all elements of a layer is final, the first one counts: later ones are roundings of
    what is rounded already. Ranges of parts are joined, and count if the whole has none.
    """

    def __init__(self) -> None:
        self._wholes: dict[Layer, Range] = {}
        self._parts: dict[Layer, Range] = {}

    def note(self, layer: Layer, known: Range, *, whole: bool = True) -> None:
        """Remember a range; it holds for the layers of which `layer` only moves the elements."""
        if whole:
            self._wholes.setdefault(layer, known)
        else:
            self._parts[layer] = _join(self._parts.get(layer, known), known)
        if isinstance(layer, Reshape):
            self.note(layer.input, known, whole=whole)
        if isinstance(layer, Slice):
            self.note(layer.input, known, whole=False)
        if isinstance(layer, Concat):
            for part in layer.parts:
                self.note(part, known, whole=False)

    def narrow(self, layer: Layer, known: Range) -> None:
        """Replace a range, and those of the layers of which `layer` only moves the elements."""
        ranges = self._wholes if layer in self._wholes else self._parts
        ranges[layer] = known
        if isinstance(layer, Reshape):
            self.narrow(layer.input, known)

    def of(self, layer: Layer) -> Range | None:
        """The range of a layer; None if the model does not say it."""
        return self._wholes.get(layer, self._parts.get(layer))

    def move(self, old: Layer, new: Layer) -> None:
        """Let a layer of the same values take another's place."""
        for ranges in (self._wholes, self._parts):
            if old in ranges:
                ranges[new] = ranges[old]

    @property
    def all(self) -> Mapping[Layer, Range]:
        """Every range that is known."""
        return {**self._parts, **self._wholes}


def _join(one: Range, other: Range) -> Range:
    return min(one[0], other[0]), max(one[1], other[1])
