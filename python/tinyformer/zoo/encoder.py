# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Encoder blocks for a graph."""

from __future__ import annotations

from dataclasses import dataclass

from tinyformer.zoo.graph import Graph


@dataclass(frozen=True)
class Encoder:
    """The sizes of a block: tokens, width, head width, heads, and width of the feed-forward
    network. Layer normalisation is in front of each half (`norm_first`) or behind it."""

    tokens: int
    width: int
    head_width: int
    heads: int
    hidden: int
    norm_first: bool = True
    attention_bias: bool = True
    epsilon: float = 1e-5


def block(graph: Graph, x: str, name: str, sizes: Encoder) -> str:
    """Attention and a feed-forward network with GELU, each with its residual."""
    if sizes.norm_first:
        x = _residual(
            graph, x, _attention(graph, _norm(graph, x, f"{name}/norm1", sizes), name, sizes)
        )
        return _residual(
            graph, x, _feed_forward(graph, _norm(graph, x, f"{name}/norm2", sizes), name, sizes)
        )
    x = _residual(graph, x, _attention(graph, x, name, sizes))
    x = _norm(graph, x, f"{name}/norm1", sizes)
    x = _residual(graph, x, _feed_forward(graph, x, name, sizes))
    return _norm(graph, x, f"{name}/norm2", sizes)


def _norm(graph: Graph, x: str, name: str, sizes: Encoder) -> str:
    return graph.layernorm(x, name, sizes.width, sizes.epsilon)


def _residual(graph: Graph, x: str, y: str) -> str:
    return graph.node("Add", f"{y}/residual", x, y)


def _feed_forward(graph: Graph, x: str, block: str, sizes: Encoder) -> str:
    hidden = graph.linear(x, f"{block}/expand", sizes.width, sizes.hidden)
    hidden = graph.node("Gelu", f"{block}/gelu", hidden)
    return graph.linear(hidden, f"{block}/contract", sizes.hidden, sizes.width)


def _attention(graph: Graph, x: str, block: str, sizes: Encoder) -> str:
    inner = sizes.heads * sizes.head_width
    path = f"{block}/attention"
    split = graph.constant(f"{path}/split", [1, sizes.tokens, sizes.heads, sizes.head_width])

    def heads(part: str, perm: list[int]) -> str:
        projected = graph.linear(x, f"{path}/{part}", sizes.width, inner, bias=sizes.attention_bias)
        projected = graph.node("Reshape", f"{path}/{part}/heads", projected, split)
        return graph.node("Transpose", f"{path}/{part}/transposed", projected, perm=perm)

    query, value = heads("query", [0, 2, 1, 3]), heads("value", [0, 2, 1, 3])
    scores = graph.node("MatMul", f"{path}/scores", query, heads("key", [0, 2, 3, 1]))
    scale = graph.constant(f"{path}/scale", sizes.head_width**-0.5)
    scores = graph.node("Mul", f"{path}/scaled", scores, scale)
    weights = graph.node("Softmax", f"{path}/softmax", scores, axis=-1)
    context = graph.node("MatMul", f"{path}/context", weights, value)
    context = graph.node("Transpose", f"{path}/context/transposed", context, perm=[0, 2, 1, 3])
    merged = graph.constant(f"{path}/merged", [1, sizes.tokens, inner])
    context = graph.node("Reshape", f"{path}/context/merged", context, merged)
    return graph.linear(context, f"{path}/output", inner, sizes.width)
