# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operands of the dialect's own operators, which ONNX's checker does not know."""

from __future__ import annotations

from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.integers.attributes import CHECK
from tinyformer.onnx.values import Operands, Value, View


def required(operands: Operands, *names: str, optional: int = 0) -> tuple[Value, ...]:
    """The operands of a node, one for each name; the last `optional` ones may be absent."""
    values = tuple(value for value in operands if value is not None)
    fits = len(names) - optional <= len(values) <= len(names)
    if fits and len(values) == len(operands):
        return values
    raise UnsupportedNodeError(
        f"has {len(values)} operand(s) where {len(names)} belong: {', '.join(names)}", CHECK
    )


def activation(value: Value, rank: int = 0) -> View:
    """An operand that is computed from the input, of at least `rank` dimensions."""
    if not isinstance(value, View):
        raise UnsupportedNodeError(
            "is applied to a constant", "store its result in the model, in the place of the node"
        )
    if len(value.shape) < rank:
        raise UnsupportedNodeError(f"is applied to {len(value.shape)} dimensions", CHECK)
    return value
