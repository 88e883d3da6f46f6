# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the layers of integer networks as ops of `tinyattn` on int8."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyformer.mlir import ir
from tinyformer.mlir.dialects import tensor, tinyattn
from tinyformer.mlir.dialects.tinyattn import PoolKind
from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.integers import requantisation
from tinyformer.onnx.integers.attributes import integers
from tinyformer.onnx.integers.formulas import Ints
from tinyformer.onnx.integers.layers import (
    IntegerAdd,
    IntegerConv,
    IntegerLayerNorm,
    IntegerLinear,
    IntegerMatmul,
    IntegerSoftmax,
    LinearSums,
    Table,
    is_sums,
    is_unsigned,
)
from tinyformer.onnx.integers.requantisation import Requant, Weights, zero_point
from tinyformer.onnx.layers import Concat, Embedding, Layer, Parameter, Pool
from tinyformer.onnx.names import parameter_path

if TYPE_CHECKING:
    from tinyformer.onnx.emit import Emitter

MEAN, MAX = PoolKind.Mean, PoolKind.Max


def _linear(emitter: Emitter, layer: IntegerLinear) -> ir.Value:
    weights = requantisation.of_weights(
        layer.weight, layer.bias, layer.requant, is_unsigned(layer.input), layer.unsigned
    )
    operands, options = _weights(emitter, layer, weights)
    return tinyattn.LinearOp(
        [emitter.type(layer.shape)],
        emitter.values[layer.input],
        *operands,
        [emitter.empty(layer.shape)],
        heads=layer.heads or None,
        **options,
    ).result


def _linear_sums(emitter: Emitter, layer: LinearSums) -> ir.Value:
    """A linear layer without its requantisation."""
    name, zero = parameter_path(layer.name), zero_point(is_unsigned(layer.input))
    shifted = layer.bias - zero * layer.weight.sum(1)
    requantisation.accumulator_bound(layer.weight, shifted)
    bias = emitter.integers(shifted, f"{name}.bias", emitter.i32)
    weight = emitter.integers(layer.weight, f"{name}.weight")
    kind = emitter.type(layer.shape, emitter.i32)
    init = emitter.empty(layer.shape, emitter.i32)
    sums = tinyattn.BroadcastOp([kind], bias, [init]).result
    source = emitter.values[layer.input]
    return tinyattn.LinearAccumulateOp([kind], source, weight, [sums]).result


def _conv(emitter: Emitter, layer: IntegerConv) -> ir.Value:
    unsigned = is_unsigned(layer.input)
    weights = requantisation.of_weights(
        layer.weight, layer.bias, layer.requant, unsigned, layer.unsigned
    )
    (weight, bias), options = _weights(emitter, layer, weights)
    image = (*layer.spatial, layer.shape[1])
    result = tinyattn.ConvOp(
        [emitter.type(image)],
        emitter.values[layer.input],
        weight,
        bias,
        [emitter.empty(image)],
        layer.strides,
        layer.padding,
        channels_first=layer.channels_first or None,
        input_zero_point=zero_point(unsigned),
        **options,
    ).result
    return emitter.reshaped(result, image, layer.shape)


def _weights(
    emitter: Emitter, layer: Layer, weights: Weights
) -> tuple[tuple[ir.Value, ir.Value], dict[str, Any]]:
    """Weight and bias of an op, and what else it has."""
    name = parameter_path(layer.name)
    weight = emitter.integers(weights.weight, f"{name}.weight")
    bias = emitter.integers(weights.bias, f"{name}.bias", emitter.i32)
    options = _factors(emitter, name, weights.multipliers, weights.offsets)
    return (weight, bias), options | {"requant": _attribute(weights.requant)}


def _factors(
    emitter: Emitter, name: str, multipliers: Ints, offsets: Ints | None
) -> dict[str, Any]:
    options = {"multipliers": emitter.integers(multipliers, f"{name}.multipliers", emitter.i32)}
    if offsets is not None:
        options["offsets"] = emitter.integers(offsets, f"{name}.offsets", emitter.i32)
    return options


def _matmul(emitter: Emitter, layer: IntegerMatmul) -> ir.Value:
    batch, _, depth = layer.lhs.shape
    multipliers, offsets, requant = requantisation.of_products(
        depth, batch, layer.requant, layer.unsigned
    )
    return tinyattn.MatmulOp(
        [emitter.type(layer.shape)],
        emitter.values[layer.lhs],
        emitter.values[layer.rhs],
        [emitter.empty(layer.shape)],
        transpose_b=layer.transposed or None,
        unsigned_lhs=layer.merged or None,
        merge_heads=layer.merged or None,
        requant=_attribute(requant),
        **_factors(emitter, parameter_path(layer.name), multipliers, offsets),
    ).result


def _add(emitter: Emitter, layer: IntegerAdd) -> ir.Value:
    lhs, rhs = layer.lhs, layer.rhs
    unsigned = is_unsigned(lhs)
    # A constant takes whichever kind of byte has all its numbers.
    other = bool(rhs.array.max() > 127) if isinstance(rhs, Parameter) else is_unsigned(rhs)
    factor, offset, requant = requantisation.of_addition(
        layer.requant, (unsigned, other), layer.unsigned
    )
    return tinyattn.AddOp(
        [emitter.type(layer.shape)],
        emitter.values[lhs],
        _operand(emitter, rhs, other),
        [emitter.empty(layer.shape)],
        multipliers=[factor, factor],
        offset=offset,
        requant=_attribute(requant),
    ).result


def _table(emitter: Emitter, layer: Table) -> ir.Value:
    table = emitter.integers(
        layer.table + zero_point(layer.unsigned), f"{parameter_path(layer.name)}.table"
    )
    kind, init = emitter.type(layer.shape), emitter.empty(layer.shape)
    return tinyattn.LookupOp([kind], emitter.values[layer.input], [init], table=table).result


def _softmax(emitter: Emitter, layer: IntegerSoftmax) -> ir.Value:
    name = f"{parameter_path(layer.name)}.table"
    # Exponentials are unsigned words.
    words = layer.table.astype(np.uint32).view(np.int32).astype(np.int64)
    table = emitter.integers(words, name, emitter.i32)
    return tinyattn.IntegerSoftmaxOp(
        [emitter.type(layer.shape)],
        emitter.values[layer.input],
        table,
        [emitter.empty(layer.shape)],
        ir.Attribute.parse(f"#tinyattn.integer_softmax_kind<{layer.kind}>"),
        layer.levels,
    ).result


def _layernorm(emitter: Emitter, layer: IntegerLayerNorm) -> ir.Value:
    name = parameter_path(layer.name)
    return tinyattn.IntegerLayernormOp(
        [emitter.type(layer.shape)],
        emitter.values[layer.input],
        emitter.integers(layer.weight, f"{name}.weight", emitter.i32),
        emitter.integers(layer.bias, f"{name}.bias", emitter.i32),
        [emitter.empty(layer.shape)],
        zero_point(is_unsigned(layer.input)),
        layer.shift,
    ).result


def _pool(emitter: Emitter, layer: Pool) -> ir.Value:
    kind, init = emitter.type(layer.shape), emitter.empty(layer.shape)
    source = emitter.values[layer.input]
    if layer.kind == "max":
        return tinyattn.PoolOp([kind], source, [init], MAX).result
    requant = requantisation.of_mean(layer.input.shape[0])
    return tinyattn.PoolOp(
        [kind],
        source,
        [init],
        MEAN,
        input_zero_point=requant.zero_point,
        requant=_attribute(requant),
    ).result


def _concat(emitter: Emitter, layer: Concat) -> ir.Value:
    unsigned = is_unsigned(layer)
    parts = [_operand(emitter, part, unsigned) for part in layer.parts]
    return tensor.ConcatOp(emitter.type(layer.shape), layer.axis, parts).result


def _embedding(emitter: Emitter, layer: Embedding) -> ir.Value:
    source = layer.input
    ids = emitter.reshaped(emitter.values[source], source.shape, (source.size,))
    name = f"{parameter_path(layer.name)}.weight"
    table = _bytes(emitter, layer.table, name, is_unsigned(layer))
    kind, init = emitter.type(layer.shape), emitter.empty(layer.shape)
    return tinyattn.EmbeddingOp([kind], ids, table, [init]).result


def _parameter(emitter: Emitter, layer: Parameter) -> None:
    """Its readers say which bytes stand for its numbers."""
    del emitter, layer


def _operand(emitter: Emitter, layer: Layer, unsigned: bool) -> ir.Value:
    """The bytes of an operand that has to be of one kind with others."""
    if isinstance(layer, Parameter):
        return _bytes(emitter, layer.array, layer.name, unsigned)
    if is_unsigned(layer) == unsigned:
        return emitter.values[layer]
    kinds = ("unsigned", "signed") if unsigned else ("signed", "unsigned")
    raise UnsupportedNodeError(
        f"joins {kinds[0]} values and those of {layer.name!r}, which are {kinds[1]}",
        "give the RequantShift nodes before it the same `signed`",
    )


def _bytes(emitter: Emitter, array: Any, name: str, unsigned: bool) -> ir.Value:
    low = 0 if unsigned else -128
    numbers = integers(array, f"the constant {name!r}", low, low + 255)
    return emitter.integers(numbers + zero_point(unsigned), name)


def _attribute(requant: Requant) -> ir.Attribute:
    return ir.Attribute.parse(str(requant))


def interface(layer: Layer) -> Mapping[str, ir.Attribute]:
    """Scale and zero point of an argument or result: a number is an integer."""
    zero = 0 if is_sums(layer) else zero_point(is_unsigned(layer))
    return {
        "tinyattn.scale": ir.FloatAttr.get_f64(1.0),
        "tinyattn.zero_point": ir.IntegerAttr.get(ir.IntegerType.get_signless(32), zero),
    }


EMITTERS: Mapping[type[Layer], Callable[[Emitter, Any], ir.Value | None]] = {
    Concat: _concat,
    Embedding: _embedding,
    IntegerAdd: _add,
    IntegerConv: _conv,
    IntegerLayerNorm: _layernorm,
    IntegerLinear: _linear,
    IntegerMatmul: _matmul,
    IntegerSoftmax: _softmax,
    LinearSums: _linear_sums,
    Parameter: _parameter,
    Pool: _pool,
    Table: _table,
}
