# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Token ids: an input of integers that choose rows of a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyformer.onnx.builder import Builder
from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.graph import Node
from tinyformer.onnx.layers import Embedding, Input, single
from tinyformer.onnx.ranges import Encoding
from tinyformer.onnx.values import Constant, Value, View, whole

# Nodes that may read ids: they choose rows, move the ids, or ask for their shape.
ON_IDS = frozenset(["Cast", "Gather", "Identity", "Shape"])


def is_ids(value: Value | None) -> bool:
    """Whether the value are token ids, as they were given to the network."""
    return isinstance(value, View) and isinstance(value.layer, Input) and value.layer.kind == "ids"


def not_rows(what: str) -> UnsupportedNodeError:
    """Says that integers of an input are used for something else than as token ids."""
    return UnsupportedNodeError(
        f"{what} integers that are an input",
        "an input of integers may only choose rows of a table, as token ids do; masks are not "
        "supported: export without attention_mask; position ids must be constant: RoBERTa, which "
        "computes them from the token ids, takes them as position_ids (docs/pytorch.md)",
    )


def embedding(build: Builder, node: Node, table: Constant, ids: Value | None) -> View:
    """Gather of rows of a constant, by an input of ids."""
    if not isinstance(ids, View) or not is_ids(ids):
        raise UnsupportedNodeError(
            "looks up rows of a constant by numbers computed from activations",
            "only an input of the network may choose rows: token ids",
        )
    if len(table.shape) != 2 or node.attributes.get("axis", 0) != 0:
        raise UnsupportedNodeError(
            f"looks up elements of a constant of shape {list(table.shape)} on axis "
            f"{node.attributes.get('axis', 0)}",
            "look up rows of a matrix: nn.Embedding",
        )
    if not np.array_equal(ids.index.ravel(), np.arange(ids.layer.size)):
        raise UnsupportedNodeError(
            f"looks up some of the ids {ids.layer.name!r}, or in another order",
            "give the network exactly the ids that it needs",
        )
    weights, width = single(build.weights(table, "the table")), table.shape[1]
    known = table.encoding.range if table.encoding else None
    integers = table.array.dtype.name
    layer = Embedding(
        build.name,
        (ids.layer.size, width),
        ids.layer,
        weights,
        known,
        "int8" if integers == "int8" else "uint8" if integers == "uint8" else None,
        parameters=(table.name,),
    )
    if known is not None:
        build.ranges.note(layer, known)
    return whole(layer, (*ids.shape, width))


def decoded(build: Builder, layer: Embedding, encoding: Encoding) -> Embedding:
    """The embedding whose table holds integers, in reals."""

    def make() -> Embedding:
        table = encoding.scale * (layer.table.astype(np.float64) - encoding.zero_point)
        return replace(layer, table=single(table), known=encoding.range, coded=None)

    result = build.cached(("decoded", layer, encoding), make)
    assert isinstance(result, Embedding)
    build.ranges.note(result, encoding.range)
    return result
