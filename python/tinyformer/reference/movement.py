# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Upstream tensor ops that move data without changing it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyformer.mlir import ir
from tinyformer.reference.layers import Read
from tinyformer.reference.values import Array, int_of, type_shape

_DYNAMIC = ir.ShapedType.get_dynamic_size()


def _reshape(operation: ir.Operation, read: Read) -> list[Array]:
    return [read(operation.operands[0]).reshape(type_shape(operation.results[0].type))]


def _window(operation: ir.Operation, read: Read, fixed_operands: int) -> tuple[slice, ...]:
    """The slices of a slice op; offsets may be operands, behind the fixed ones."""
    offsets, sizes, strides = (
        list(ir.DenseI64ArrayAttr(operation.attributes[f"static_{name}"]))
        for name in ("offsets", "sizes", "strides")
    )
    dynamic = iter(list(operation.operands)[fixed_operands:])
    offsets = [int(read(next(dynamic))) if offset == _DYNAMIC else offset for offset in offsets]
    return tuple(
        slice(offset, offset + size * stride, stride)
        for offset, size, stride in zip(offsets, sizes, strides, strict=True)
    )


def _extract(operation: ir.Operation, read: Read) -> list[Array]:
    piece = read(operation.operands[0])[_window(operation, read, 1)]
    return [piece.reshape(type_shape(operation.results[0].type))]


def _insert(operation: ir.Operation, read: Read) -> list[Array]:
    whole = read(operation.operands[1]).copy()
    window = _window(operation, read, 2)
    whole[window] = read(operation.operands[0]).reshape(whole[window].shape)
    return [whole]


def _concat(operation: ir.Operation, read: Read) -> list[Array]:
    axis = int_of(operation.attributes["dim"])
    return [np.concatenate([read(operand) for operand in operation.operands], axis=axis)]


MOVEMENT: dict[str, Callable[[ir.Operation, Read], list[Array]]] = {
    "tensor.collapse_shape": _reshape,
    "tensor.expand_shape": _reshape,
    "tensor.extract_slice": _extract,
    "tensor.insert_slice": _insert,
    "tensor.concat": _concat,
}
