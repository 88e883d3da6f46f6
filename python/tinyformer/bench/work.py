# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How much there is to multiply in a network."""

from __future__ import annotations

from math import prod

from tinyformer.mlir import ir
from tinyformer.reference.interpreter import public_function
from tinyformer.reference.values import type_shape


def count_macs(module: ir.Module) -> int:
    """Multiply-accumulates of a float module as it was imported: weights are not fused.

    Sums along axes and normalisations are not counted, as usual.
    """
    return sum(_macs(op.operation) for op in public_function(module).regions[0].blocks[0])


def _macs(op: ir.Operation) -> int:
    if op.name == "tinyattn.mhsa":
        return _attention_macs(op)
    if op.name not in ("tinyattn.linear", "tinyattn.conv", "tinyattn.matmul"):
        return 0
    # One output is a sum over the weights of its channel, or over a row of the right side's.
    outputs = prod(type_shape(op.results[0].type))
    right = type_shape(op.operands[1].type)
    if op.name == "tinyattn.matmul":
        return outputs * type_shape(op.operands[0].type)[-1]
    return outputs * prod(right[1:])


def _attention_macs(op: ir.Operation) -> int:
    tokens, _ = type_shape(op.operands[0].type)
    queries, _ = type_shape(op.results[0].type)
    rows = {"query": queries, "key": tokens, "value": tokens, "output": queries}
    weights = {part: type_shape(getattr(op.opview, f"{part}_weight").type) for part in rows}
    projections = sum(rows[part] * prod(shape) for part, shape in weights.items())
    return projections + queries * tokens * (weights["query"][0] + weights["value"][0])
