# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From MLIR's types and attributes to numpy and Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyformer.mlir import ir
from tinyformer.mlir._mlir_libs import _tinyformer
from tinyformer.reference.integer import Requant

Array = npt.NDArray[Any]

DTYPES: dict[str, type[np.generic]] = {
    "f32": np.float32,
    "i8": np.int8,
    "i16": np.int16,
    "i32": np.int32,
    "i64": np.int64,
}


def type_shape(type_: ir.Type) -> tuple[int, ...]:
    """Shape of a ranked tensor type."""
    return tuple(ir.RankedTensorType(type_).shape)


def constant_array(operation: ir.Operation) -> Array:
    """The elements of an `arith.constant` of tensor type, or an index."""
    if isinstance(operation.results[0].type, ir.IndexType):
        return np.array(int_of(operation.attributes["value"]))
    type_ = ir.RankedTensorType(operation.results[0].type)
    data = _tinyformer.element_bytes(operation.attributes["value"])
    return computed(np.frombuffer(data, DTYPES[str(type_.element_type)]).reshape(type_.shape))


def computed(array: Array) -> Array:
    """The array as the interpreter computes with it: reals in 64 bits.

    Every processor adds up a product in another order. In 32 bits that shows in the ranges of
    calibration, and so in the program.
    """
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def empty_array(operation: ir.Operation) -> Array:
    """A `tensor.empty`: what it holds means nothing, so it may as well be zeros."""
    type_ = ir.RankedTensorType(operation.results[0].type)
    return computed(np.zeros(type_.shape, DTYPES[str(type_.element_type)]))


def requant_of(attribute: Any) -> Requant | None:
    """The fields of `#tinyattn.requant`."""
    if attribute is None:
        return None
    multiplier, shift, zero_point, wide = _tinyformer.requant_fields(attribute)
    return Requant(multiplier, shift, zero_point, wide)


def enum_of(attribute: ir.Attribute) -> str:
    """`gelu` of `#tinyattn.function<gelu>`."""
    return str(attribute).rsplit("<", 1)[1].rstrip(">").split()[-1]


def int_of(attribute: Any) -> int:
    """Value of an integer attribute."""
    return int(ir.IntegerAttr(attribute).value)


def float_of(attribute: Any) -> float:
    """Value of a float attribute."""
    return float(ir.FloatAttr(attribute).value)
