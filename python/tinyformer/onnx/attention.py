# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Self-attention, from the product of queries and keys to the product with the values.

Queries, keys and values are views of linear layers. Whatever reshapes, transpositions, splits and
factors an exporter put between the projections and the products, the views' element numbers say
which row (token) and which column (output channel) of the projection each element is. So the
weights of each head are read off, and the spelling does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinyformer.onnx.builder import Builder, Doubles, constant
from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.functions import affine
from tinyformer.onnx.graph import Node
from tinyformer.onnx.handler import Handler
from tinyformer.onnx.layers import Layer, Linear, Mhsa, Projection, Softmax, rescaled, single
from tinyformer.onnx.ranges import Range
from tinyformer.onnx.values import (
    Constant,
    Index,
    Operands,
    Probabilities,
    Scores,
    Value,
    View,
    whole,
)

# Masks have -inf or a large number; -100 is the smallest one that is usual (Swin's windows).
LEAST_MASKED = -100.0
USUAL_FORM = "write softmax(scale · (X·Wq)·(X·Wk)ᵀ)·(X·Wv), heads being slices of the features"


def product(build: Builder, lhs: View, rhs: View) -> View:
    """A product of two activations: scores, or the context."""
    if len(lhs.shape) < 2 or len(rhs.shape) < 2:
        raise UnsupportedNodeError(
            "multiplies an activation by a vector computed from the input", USUAL_FORM
        )
    if isinstance(lhs.layer, Probabilities):
        return _context(build, lhs, lhs.layer, rhs)
    if isinstance(rhs.layer, Probabilities):  # V'·P' = (P·V)'
        return _context(build, rhs.swapped, rhs.layer, lhs.swapped).swapped
    return _scores(build, lhs, rhs)


def _scores(build: Builder, query: View, key: View) -> View:
    """Q·Kᵀ; a key that several heads share is repeated."""
    batch = np.broadcast_shapes(query.shape[:-2], key.shape[:-2])
    heads = int(np.prod(batch))
    query = _by_heads(query, batch)
    key = _by_heads(key.swapped, batch)
    layer = Scores(build.name, (heads, query.shape[1], key.shape[1]), query, key)
    return whole(layer, (*batch, *layer.shape[1:]))


def _by_heads(view: View, batch: tuple[int, ...]) -> View:
    """The view as [heads, tokens, lanes]."""
    index = np.broadcast_to(view.index, (*batch, *view.shape[-2:]))
    return view.moved(index.reshape(-1, *view.shape[-2:]))


def check_mask(scores: View, mask: Constant) -> None:
    """Softmax cancels what is constant along a row of scores; anything else is a mask."""
    values = np.broadcast_to(mask.array, np.broadcast_shapes(scores.shape, mask.shape))
    if values.size != scores.index.size:
        raise UnsupportedNodeError(
            "adds a mask that has more entries than the scores", "use batch 1"
        )
    if (values == values[..., :1]).all():
        return
    if (values > LEAST_MASKED).all():
        raise UnsupportedNodeError(
            "adds a bias of positions to the scores of attention",
            "biases of scores (relative positions, ALiBi) are not supported, whether trained or "
            "not: add positions to the tokens instead, and train again",
        )
    instead = "TinyFormer compiles encoders, in which every token attends to all tokens: remove it"
    above = np.triu(np.ones(values.shape[-2:], bool), 1)
    if (values[..., above] < 0).all() and not values[..., ~above].any():
        raise UnsupportedNodeError(
            "adds a causal mask to the scores of attention, as decoders do", instead
        )
    raise UnsupportedNodeError("adds a mask to the scores of attention", instead)


def softmax(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Softmax: of attention's scores, or a layer of its own."""
    (view,) = operands
    assert isinstance(view, View)
    axis = node.attributes.get("axis", -1) % len(view.shape)
    last = view.moved(np.moveaxis(view.index, axis, -1))
    if isinstance(last.layer, Scores):
        result = _probabilities(build, last, last.layer)
    else:
        rows = build.rows(build.plain(last), last.shape[-1])
        layer = Softmax(build.name, rows.layer.shape, rows.layer)
        result = View(layer, rows.index(rows.columns, layer.shape[1], last.shape))
    return [result.moved(np.moveaxis(result.index, -1, axis))]


def _probabilities(build: Builder, view: View, scores: Scores) -> View:
    coefficients = view.function.affine
    if coefficients is None:
        raise UnsupportedNodeError(
            "takes the softmax of a function of the scores (such as softcap)", USUAL_FORM
        )
    index = view.index.reshape(-1, *view.shape[-2:])
    natural = np.arange(scores.size).reshape(scores.shape)
    query, key = scores.query, scores.key
    if not np.array_equal(index, natural):
        query, key = key, query  # the product was K·Qᵀ
        if not np.array_equal(index, natural.swapaxes(1, 2)):
            raise UnsupportedNodeError("takes the softmax of reordered scores", USUAL_FORM)
    known = build.range_of(view)
    if known is not None:  # softmax cancels the offset
        known = known[0] - coefficients[1], known[1] - coefficients[1]
    layer = Probabilities(scores.name, index.shape, query, key, coefficients[0], known)
    return whole(layer, view.shape)


@dataclass(frozen=True, eq=False)
class _Projected:
    """Queries, keys or values of all heads as weights of a linear layer on `source`."""

    source: Layer
    tokens: Index  # the row of `source` that each token is
    weight: Doubles
    bias: Doubles
    factor: float
    layer: Layer
    scales: Doubles | None
    known: Range | None

    @property
    def projection(self) -> Projection:
        return Projection(single(self.weight), single(self.bias), self.scales)

    @property
    def scaled(self) -> Projection:
        """The factor in the weights."""
        scales = rescaled(self.scales, np.full(len(self.weight), self.factor))
        return Projection(
            single(self.factor * self.weight), single(self.factor * self.bias), scales
        )


def _projected(build: Builder, view: View, what: str) -> _Projected:
    """Traces [heads, tokens, lanes] back to the linear layer that made them."""
    view = build.settle(view)
    layer = view.layer
    row, column = np.divmod(view.index, layer.shape[1])
    tokens, channels = row[0, :, 0], column[:, 0, :]
    if (row != tokens[None, :, None]).any() or (column != channels[:, None, :]).any():
        raise UnsupportedNodeError(
            f"reads {what} in which a head is no slice of the features of {layer.name!r}; batch "
            "entries may be taken for heads",
            f"export with batch 1; {USUAL_FORM}",
        )
    factor, offset = view.affine
    if factor == 0.0:
        raise UnsupportedNodeError(f"reads {what} that are constant", "check the model")
    source, weight, bias = layer, np.eye(layer.shape[1]), np.zeros(layer.shape[1])
    scales = None
    if isinstance(layer, Linear):
        source, scales = layer.input, layer.scales
        weight, bias = layer.weight.astype(np.float64), layer.bias.astype(np.float64)
    own = channels.ravel()
    return _Projected(
        source,
        tokens,
        weight[own],
        bias[own] + offset / factor,
        factor,
        layer,
        None if scales is None else scales[own],
        build.range_of(view),
    )


def _context(build: Builder, view: View, probabilities: Probabilities, value: View) -> View:
    """P·V: attention as a whole, but for its output projection."""
    natural = np.arange(probabilities.size).reshape(view.shape)
    if not view.function.is_identity or not np.array_equal(view.index, natural):
        raise UnsupportedNodeError(
            "changes the probabilities of attention before it uses them", USUAL_FORM
        )
    batch = np.broadcast_shapes(view.shape[:-2], value.shape[:-2])
    if int(np.prod(batch)) != probabilities.shape[0]:
        raise UnsupportedNodeError(
            "uses the same scores for several values", "use one query for each head"
        )
    query = _projected(build, probabilities.query, "queries")
    key = _projected(build, probabilities.key, "keys")
    values = _projected(build, _by_heads(value, batch), "values")
    _check_self(query, key, values)
    heads, lanes = probabilities.shape[0], value.shape[-1]
    width = heads * lanes
    mhsa = Mhsa(
        build.name,
        (len(query.tokens), width),
        query.source,
        query.projection,
        key.projection,
        values.scaled,
        Projection(single(np.eye(width)), single(np.zeros(width))),
        heads,
        probabilities.scale * query.factor * key.factor,
        projected=False,
        nodes=tuple(part.layer.name for part in (query, key, values)),
        parameters=tuple(name for part in (query, key, values) for name in part.layer.parameters),
        known=_known(probabilities, query, key, values),
    )
    columns = np.arange(width).reshape(heads, 1, lanes)
    index = query.tokens[None, :, None] * width + columns
    return View(mhsa, index.reshape(*batch, *index.shape[1:]))


def _known(
    probabilities: Probabilities, query: _Projected, key: _Projected, value: _Projected
) -> dict[str, Range]:
    """The ranges of what is inside attention, in the order that its layer computes."""
    ranges: dict[str, Range | None] = {
        "query": _divided(query.known, query.factor),
        "key": _divided(key.known, key.factor),
        "value": value.known,
        "scores": probabilities.known,
    }
    return {name: known for name, known in ranges.items() if known is not None}


def _divided(known: Range | None, factor: float) -> Range | None:
    if known is None:
        return None
    low, high = sorted(end / factor for end in known)
    return low, high


def _check_self(query: _Projected, key: _Projected, value: _Projected) -> None:
    """All three come from the same tokens."""
    sources = {query.source: None, key.source: None, value.source: None}
    if len(sources) > 1:
        names = " and ".join(repr(source.name) for source in sources)
        raise UnsupportedNodeError(
            f"is cross-attention: queries, keys and values come from different tensors, {names}",
            "only self-attention is supported: project all three from one tensor",
        )
    rows = query.source.shape[0]
    if not np.array_equal(np.sort(query.tokens), np.arange(rows)):
        raise UnsupportedNodeError(
            f"lets {len(query.tokens)} of {rows} tokens attend",
            "only attention among all tokens is supported",
        )
    if any(not np.array_equal(part.tokens, query.tokens) for part in (key, value)):
        raise UnsupportedNodeError(
            "orders the tokens of keys, values and queries differently", USUAL_FORM
        )


def attention(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """The Attention operator of opset 23."""
    query, key, value, mask, *past = (*operands, None, None, None)[:6]
    assert isinstance(query, View) and isinstance(key, View) and isinstance(value, View)
    attributes = node.attributes
    if attributes.get("is_causal", 0):
        raise UnsupportedNodeError(
            "is causal, as in decoders", "TinyFormer compiles encoders: is_causal=False"
        )
    if any(item is not None for item in past):
        raise UnsupportedNodeError(
            "has a key-value cache, as decoders do", "TinyFormer compiles encoders"
        )
    if attributes.get("softcap", 0.0):
        raise UnsupportedNodeError("limits the scores by softcap", "remove softcap")
    joined = len(query.shape) == 3
    if joined:
        query = _split_heads(query, attributes["q_num_heads"])
        key = _split_heads(key, attributes["kv_num_heads"])
        value = _split_heads(value, attributes["kv_num_heads"])
    scale = attributes.get("scale", query.shape[-1] ** -0.5)
    groups = query.shape[1] // key.shape[1]
    key, value = (view.moved(np.repeat(view.index, groups, axis=1)) for view in (key, value))
    scores = _scores(build, query, key.swapped)
    if mask is not None:
        _check_attention_mask(scores, mask)
    scores = scores.mapped(affine(scale, name=node.name))
    assert isinstance(scores.layer, Scores)
    context = product(build, _probabilities(build, scores, scores.layer), value)
    if not joined:
        return [context]
    merged = context.index.transpose(0, 2, 1, 3)
    return [context.moved(merged.reshape(*merged.shape[:2], -1))]


def _check_attention_mask(scores: View, mask: Value) -> None:
    array = constant(mask, "masks")
    if array.dtype == bool:
        array = np.where(array, np.float32(0), np.float32(-np.inf))
    check_mask(scores, Constant(array))


def _split_heads(view: View, heads: int) -> View:
    """[batch, tokens, heads·lanes] as [batch, heads, tokens, lanes]."""
    batch, tokens, width = view.shape
    return view.moved(view.index.reshape(batch, tokens, heads, width // heads).swapaxes(1, 2))


HANDLERS: Mapping[str, Handler] = {"Attention": attention, "Softmax": softmax}
