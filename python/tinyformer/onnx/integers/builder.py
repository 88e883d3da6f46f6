# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes layers of integer networks out of views."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyformer.onnx.builder import REORDERED, Builder
from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.graph import Array
from tinyformer.onnx.integers.layers import IntegerLinear, IntegerSoftmax, LinearSums, Table
from tinyformer.onnx.integers.sums import LinearProduct
from tinyformer.onnx.layers import Concat, Layer, Reshape, Slice
from tinyformer.onnx.values import View


class IntegerBuilder(Builder):
    """Layers for the node at hand of a model in the integer dialect."""

    def matrix(self, layer: Layer) -> Layer:
        """The layer in rank 2; only products read a softmax as it is, by `entries`."""
        if is_probabilities(layer):
            return super().matrix(self._stored(layer))
        return super().matrix(layer)

    def output(self, view: View) -> View:
        """A value that the network ends with: a linear layer may give its sums."""
        product = view.layer
        if not isinstance(product, LinearProduct):
            return view
        layer = self.cached(
            ("sums", product),
            lambda: LinearSums(
                product.name,
                product.shape,
                product.input,
                product.weight,
                product.bias,
                parameters=product.parameters,
            ),
        )
        return replace(view, layer=layer)

    def entries(self, view: View, index: Array) -> Layer:
        """The elements `index`, [B, M, N], of a view's layer, as a layer of that shape.

        A linear layer gives its channels in another order at no cost: heads behind one another.
        The bytes are those of the layer: parts of a softmax are 0 to 255 as they are, too.
        """
        layer, shape = view.layer, index.shape
        if np.array_equal(index.ravel(), np.arange(layer.size)):
            return self.reshape(layer, shape)
        if (heads := self._heads(layer, index)) is not None:
            return heads
        parts = tuple(self._entry(layer, entry) for entry in index)
        key = ("entries", layer, index.tobytes(), shape)
        joined = self.cached(
            key, lambda: Concat(self.name, (shape[0] * shape[1], shape[2]), parts, 0)
        )
        return self.reshape(joined, shape)

    def _heads(self, layer: Layer, index: Array) -> Layer | None:
        """A linear layer split by heads, if each entry is some of its channels of all tokens."""
        if not isinstance(layer, IntegerLinear) or layer.heads:
            return None
        tokens, channels = np.divmod(index, layer.shape[1])
        natural = np.arange(layer.shape[0])[None, :, None]
        if index.shape[1] != layer.shape[0] or (tokens != natural).any():
            return None
        heads = channels[:, 0]
        if (channels != channels[:, :1]).any():
            return None
        key = ("heads", layer, heads.tobytes(), heads.shape)
        return self.cached(key, lambda: layer.split(heads))

    def _entry(self, layer: Layer, index: Array) -> Layer:
        """One matrix, cut out of a layer."""
        rows = self._rows(super().matrix(layer), index)
        shape = rows.layer.shape
        if not (
            np.array_equal(rows.rows, np.arange(shape[0]))
            and np.array_equal(rows.columns, np.arange(shape[1]))
        ):
            raise UnsupportedNodeError(
                f"needs the elements of {layer.name!r} in another order than they are in memory",
                REORDERED,
            )
        return rows.layer

    def _stored(self, layer: Layer) -> Layer:
        """Probabilities with bytes that stand for 128 more, as those of other layers do."""
        table = np.concatenate([np.arange(128, 256), np.arange(128)])
        return self.cached(
            ("stored", layer),
            lambda: Table(f"{layer.name}.bytes", layer.shape, layer, table, unsigned=True),
        )


def is_probabilities(layer: Layer) -> bool:
    """Whether a layer's bytes are those of a softmax, 0 to 255 as they are."""
    if isinstance(layer, Reshape | Slice):
        return is_probabilities(layer.input)
    if isinstance(layer, Concat):
        return all(map(is_probabilities, layer.parts))
    return isinstance(layer, IntegerSoftmax)
