# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Numbers in the nodes of the integer dialect: plain, or tensors of one element, often floats."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.graph import Array, Node, array_of
from tinyformer.onnx.integers.formulas import Ints, Levels

CHECK = "see how the model was exported"


def number(node: Node, name: str, *others: str) -> int:
    """The integer of an attribute, which older exporters call by one of `others`."""
    for candidate in (name, *others):
        if candidate in node.attributes:
            return _integer(node.attributes[candidate], candidate)
    raise UnsupportedNodeError(f"has no attribute {name!r}", CHECK)


def shift_of(node: Node, name: str) -> int:
    """log2 of an attribute that divides, a power of two up to 2^30."""
    divisor = number(node, name)
    if divisor < 1 or divisor & (divisor - 1) or divisor > 1 << 30:
        raise UnsupportedNodeError(
            f"divides by {name} = {divisor}", "a power of two from 1 to 2^30 is a shift"
        )
    return divisor.bit_length() - 1


def levels_of(node: Node, *, signed: bool) -> Levels:
    """`n_levels`, or `n_levels_out` of other versions."""
    count = number(node, "n_levels", "n_levels_out")
    if not 2 <= count <= 256:
        raise UnsupportedNodeError(
            f"gives {count} levels", "results have 8 bits: 2 to 256 levels are supported"
        )
    if signed and count % 2:
        raise UnsupportedNodeError(
            f"gives {count} signed levels", "an even number has one meaning only: -n/2 to n/2 - 1"
        )
    return Levels(count, signed)


def integers(array: Array, what: str, low: int = -(2**31), high: int = 2**31 - 1) -> Ints:
    """Constant numbers that have to be integers from `low` to `high`."""
    wide = array.astype(np.float64) if array.dtype.kind == "f" else array.astype(np.int64)
    wrong = np.argwhere((wide != np.floor(wide)) | (wide < low) | (wide > high))
    if len(wrong):
        place = tuple(wrong[0].tolist())
        raise UnsupportedNodeError(
            f"has {what} with {len(wrong)} value(s) that are no integers from {low} to {high}: "
            f"{wide[place]:g} at {list(place)}",
            "in a model with RequantShift nodes every constant is an integer",
        )
    return wide.astype(np.int64)


def _integer(value: Any, name: str) -> int:
    array = array_of(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)
    if array.size != 1:
        raise UnsupportedNodeError(f"has {array.size} values in {name!r}", "one is expected")
    return int(integers(array.reshape(1), f"an attribute {name!r}")[0])
