# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The structured ops: real where their input is f32, integer where it is i8."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyformer.mlir import ir
from tinyformer.reference import integer, integer_dialect, real
from tinyformer.reference.values import Array, enum_of, float_of, int_of, requant_of

Read = Callable[[ir.Value | None], Any]


def is_real(array: Array) -> bool:
    """True for f32, false for integers."""
    return bool(np.issubdtype(array.dtype, np.floating))


def _linear(op: Any, read: Read) -> list[Array]:
    x, weight, bias = read(op.input), read(op.weight), read(op.bias)
    heads = None if op.heads is None else int_of(op.heads)
    if not is_real(x):
        requant = requant_of(op.requant)
        assert requant is not None
        multipliers, offsets = read(op.multipliers), _offsets(op, read)
        return [integer.linear(x, weight, bias, multipliers, requant, heads, offsets)]
    y = x @ weight.T + bias
    return [y if heads is None else integer.split_heads(y, heads)]


def _offsets(op: Any, read: Read) -> Any:
    """What is added beside the multipliers."""
    return 0 if op.offsets is None else read(op.offsets).astype(np.int64)


def _broadcast(op: Any, read: Read) -> list[Array]:
    return [np.broadcast_to(read(op.bias), read(op.inits[0]).shape)]


def _linear_accumulate(op: Any, read: Read) -> list[Array]:
    return [integer.linear_accumulate(read(op.input), read(op.weight), read(op.inits[0]))]


def _requantize(op: Any, read: Read) -> list[Array]:
    requant = requant_of(op.requant)
    assert requant is not None
    sums, multipliers = read(op.input).astype(np.int64), read(op.multipliers).astype(np.int64)
    return [integer.requantise(sums, multipliers, requant)]


def _matmul(op: Any, read: Read) -> list[Array]:
    lhs, rhs, sums = read(op.lhs), read(op.rhs), read(op.row_sums)
    transpose_b, merge = bool(op.transpose_b), bool(op.merge_heads)
    if not is_real(lhs):
        requant = requant_of(op.requant)
        assert requant is not None
        y: Array = integer.matmul(
            lhs,
            rhs,
            read(op.multipliers),
            sums,
            requant,
            transpose_b=transpose_b,
            unsigned_lhs=bool(op.unsigned_lhs),
            merge=merge,
            offsets=_offsets(op, read),
        )
        return [y]
    y = lhs @ (np.swapaxes(rhs, -1, -2) if transpose_b else rhs)
    if sums is not None:
        y = y / sums[:, :, None]
    return [integer.merge_heads(y) if merge else y]


def _softmax(op: Any, read: Read) -> list[Array]:
    x, table = read(op.input), read(op.table)
    late = len(op.results_) == 2
    if is_real(x):
        return list(real.exponentials(x)) if late else [real.softmax(x)]
    if not late:
        return [integer.softmax(x, table)]
    exps, sums = integer.exponentials(x, table)
    return [exps.view(np.int8), sums.astype(np.int32)]


def _layernorm(op: Any, read: Read) -> list[Array]:
    x, weight, bias = read(op.input), read(op.weight), read(op.bias)
    if is_real(x):
        return [real.layernorm(x, weight, bias, float_of(op.epsilon))]
    requant = requant_of(op.requant)
    assert requant is not None
    return [integer.layernorm(x, weight, bias, int_of(op.variance_epsilon), requant)]


def _lookup(op: Any, read: Read) -> list[Array]:
    x = read(op.input)
    if not is_real(x):
        return [integer.lookup(x, read(op.table))]
    factor = 1.0 if op.factor is None else float_of(op.factor)
    return [real.FUNCTIONS[enum_of(op.function)](x * factor)]


def _add(op: Any, read: Read) -> list[Array]:
    lhs, rhs = read(op.lhs), read(op.rhs)
    if is_real(lhs):
        return [lhs + rhs]
    requant = requant_of(op.requant)
    assert requant is not None
    first, second = ir.DenseI32ArrayAttr(op.multipliers)
    return [integer.add(lhs, rhs, (first, second), int_of(op.offset), requant)]


def _conv(op: Any, read: Read) -> list[Array]:
    x, weight, bias = read(op.input), read(op.weight), read(op.bias)
    if op.channels_first:
        x = x.transpose(1, 2, 0)
    strides = list(ir.DenseI64ArrayAttr(op.strides))
    padding = list(ir.DenseI64ArrayAttr(op.padding))
    if is_real(x):
        columns = integer.patches(x, weight.shape[1:3], strides, padding, 0.0)
        return [columns @ weight.reshape(weight.shape[0], -1).T + bias]
    requant = requant_of(op.requant)
    assert requant is not None
    zero_point = int_of(op.input_zero_point)
    y = integer.conv(
        x,
        weight,
        bias,
        read(op.multipliers),
        strides,
        padding,
        zero_point,
        requant,
        _offsets(op, read),
    )
    return [y]


def _pool(op: Any, read: Read) -> list[Array]:
    x = read(op.input)
    if enum_of(op.kind) == "max":
        return [x.max(axis=0, keepdims=True)]
    if is_real(x):
        return [x.mean(axis=0, keepdims=True)]
    requant = requant_of(op.requant)
    assert requant is not None
    return [integer.mean(x, int_of(op.input_zero_point), requant)]


def _embedding(op: Any, read: Read) -> list[Array]:
    table = read(op.table)
    return [table[np.clip(read(op.ids).astype(np.int64), 0, len(table) - 1)]]


def _transpose(op: Any, read: Read) -> list[Array]:
    return [read(op.input).T]


def _integer_softmax(op: Any, read: Read) -> list[Array]:
    normalise = integer_dialect.SOFTMAX[enum_of(op.kind)]
    return [normalise(read(op.input), read(op.table), int_of(op.levels))]


def _integer_layernorm(op: Any, read: Read) -> list[Array]:
    x = read(op.input).astype(np.int64) - int_of(op.input_zero_point)
    return [integer_dialect.layernorm(x, read(op.weight), read(op.bias), int_of(op.shift))]


LAYERS: dict[str, Callable[[Any, Read], list[Array]]] = {
    "tinyattn.linear": _linear,
    "tinyattn.broadcast": _broadcast,
    "tinyattn.linear_accumulate": _linear_accumulate,
    "tinyattn.requantize": _requantize,
    "tinyattn.matmul": _matmul,
    "tinyattn.softmax": _softmax,
    "tinyattn.layernorm": _layernorm,
    "tinyattn.lookup": _lookup,
    "tinyattn.add": _add,
    "tinyattn.transpose": _transpose,
    "tinyattn.conv": _conv,
    "tinyattn.embedding": _embedding,
    "tinyattn.pool": _pool,
    "tinyattn.integer_softmax": _integer_softmax,
    "tinyattn.integer_layernorm": _integer_layernorm,
}
