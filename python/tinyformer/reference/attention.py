# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The whole-attention ops, out of the same formulas as the structured ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyformer.reference import integer, real
from tinyformer.reference.layers import Read, is_real
from tinyformer.reference.values import Array, float_of, int_of, requant_of

Observe = Callable[[str, Array], None]


def _project(op: Any, read: Read, name: str, x: Array, heads: int | None) -> Array:
    """One of the projections `query`, `key`, `value`, `output`."""
    weight = read(getattr(op, f"{name}_weight"))
    bias = read(getattr(op, f"{name}_bias"))
    if is_real(x):
        y = x @ weight.T + bias
        return y if heads is None else integer.split_heads(y, heads)
    requant = requant_of(getattr(op, f"{name}_requant"))
    assert requant is not None
    multipliers = read(getattr(op, f"{name}_multipliers"))
    return integer.linear(x, weight, bias, multipliers, requant, heads)


def _real_context(op: Any, query: Array, key: Array, value: Array, observe: Observe) -> Array:
    scores = float_of(op.scale) * (query @ np.swapaxes(key, -1, -2))
    observe("scores", scores)
    return integer.merge_heads(real.softmax(scores) @ value)


def _integer_context(op: Any, read: Read, query: Array, key: Array, value: Array) -> Array:
    scores_requant, context_requant = requant_of(op.scores_requant), requant_of(op.context_requant)
    assert scores_requant is not None and context_requant is not None
    scores = integer.matmul(
        query,
        key,
        read(op.scores_multipliers),
        None,
        scores_requant,
        transpose_b=True,
        unsigned_lhs=False,
        merge=False,
    )
    exps, sums = integer.exponentials(scores, read(op.exp_table))
    return integer.matmul(
        exps,
        value,
        read(op.context_multipliers),
        sums,
        context_requant,
        transpose_b=False,
        unsigned_lhs=True,
        merge=True,
    )


def _attend(op: Any, read: Read, observe: Observe, x: Array, key: Array | None) -> list[Array]:
    """`key` is None for plain attention, X, which is the values too, for fused weights."""
    heads = int_of(op.heads)
    rows = read(op.query_rows)
    query = _project(op, read, "query", x if rows is None else rows, heads)
    value = key
    if key is None or value is None:
        key = _project(op, read, "key", x, heads)
        value = _project(op, read, "value", x, heads)
    for name, array in (("query", query), ("key", key), ("value", value)):
        observe(name, array)
    if is_real(x):
        context = _real_context(op, query, key, value, observe)
    else:
        context = _integer_context(op, read, query, key, value)
    observe("context", context)
    return [_project(op, read, "output", context, None)]


def _mhsa(op: Any, read: Read, observe: Observe) -> list[Array]:
    return _attend(op, read, observe, read(op.input), None)


def _fused_mhsa(op: Any, read: Read, observe: Observe) -> list[Array]:
    x = read(op.input)
    return _attend(op, read, observe, x, x)


ATTENTION: dict[str, Callable[[Any, Read, Observe], list[Array]]] = {
    "tinyattn.mhsa": _mhsa,
    "tinyattn.fused_mhsa": _fused_mhsa,
}
