# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a quantised network has to do, layer by layer, however it is compiled."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import prod
from typing import Any

from tinyformer.decisions import location_name
from tinyformer.mlir import ir
from tinyformer.reference.interpreter import public_function
from tinyformer.reference.values import int_of, type_shape

ATTENTION = ("tinyattn.mhsa", "tinyattn.fused_mhsa")


@dataclass(frozen=True)
class Work:
    """Multiply-accumulates, and the bytes of all operands and results, each counted once."""

    macs: int = 0
    bytes: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(self.macs + other.macs, self.bytes + other.bytes)


@dataclass(frozen=True)
class Constant:
    """A constant of a layer: weights, biases, multipliers or a table."""

    layer: str
    shape: tuple[int, ...]
    type: str
    bytes: int


def work_by_layer(module: ir.Module) -> dict[str, Work]:
    """The work of each layer by its name; the parts of attention are `layer/part`."""
    found: defaultdict[str, Work] = defaultdict(Work)
    for op in public_function(module).regions[0].blocks[0].operations:
        operation = op.operation
        if not operation.name.startswith("tinyattn."):
            continue
        name = location_name(operation.location)
        if operation.name in ATTENTION:
            for part, work in _attention(operation.opview).items():
                found[f"{name}/{part}"] += work
        else:
            found[name] += Work(_macs(operation), _touched(operation))
    return dict(found)


def constants(module: ir.Module) -> list[Constant]:
    """All constants, the largest first."""
    found = []
    parts: dict[ir.Value, str] = {}
    for op in public_function(module).regions[0].blocks[0].operations:
        operation = op.operation
        if operation.name in ATTENTION:
            parts |= _parts(operation.opview)
    for op in public_function(module).regions[0].blocks[0].operations:
        value = op.operation.results[0] if op.operation.name == "arith.constant" else None
        if value is not None and isinstance(value.type, ir.RankedTensorType):
            name = location_name(op.operation.location) + parts.get(value, "")
            element = str(value.type.element_type)
            found.append(Constant(name, type_shape(value.type), element, _bytes(value.type)))
    return sorted(found, key=lambda constant: (-constant.bytes, constant.layer))


def _parts(op: Any) -> dict[ir.Value, str]:
    """Of the constants of an attention layer: what they are for."""
    return {
        value: f"/{part}"
        for part in ("query", "key", "value", "output")
        for kind in ("weight", "bias", "multipliers")
        if (value := getattr(op, f"{part}_{kind}", None)) is not None
    }


def _bytes(type_: ir.Type) -> int:
    tensor = ir.RankedTensorType(type_)
    bits = int(ir.IntegerType(tensor.element_type).width)
    return int(prod(tensor.shape)) * bits // 8


def _touched(operation: ir.Operation) -> int:
    """Destinations are results under another name."""
    inputs = [v for v in operation.operands if not _is_destination(v)]
    return sum(_bytes(value.type) for value in [*inputs, *operation.results])


def _is_destination(value: ir.Value) -> bool:
    owner = value.owner
    return isinstance(owner, ir.Operation) and owner.name == "tensor.empty"


def _macs(operation: ir.Operation) -> int:
    view = operation.opview
    if operation.name in ("tinyattn.linear", "tinyattn.conv"):
        depth = prod(type_shape(view.weight.type)[1:])
        return prod(type_shape(operation.results[0].type)) * depth
    if operation.name == "tinyattn.matmul":
        depth = type_shape(view.lhs.type)[-1]
        return prod(type_shape(operation.results[0].type)) * depth
    return 0


def _attention(op: Any) -> dict[str, Work]:
    """Projections and products of attention as it is defined; fused weights have no key."""
    heads = int_of(op.heads)
    tokens, width = type_shape(op.input.type)
    rows = type_shape(op.result.type)[0]
    fused = op.operation.name == "tinyattn.fused_mhsa"
    values = heads * width if fused else type_shape(op.value_weight.type)[0]
    queries = type_shape(op.query_weight.type)[0]
    scores = heads * rows * tokens

    def projection(name: str, rows: int, depth: int, channels: int) -> Work:
        constant = sum(
            _bytes(value.type)
            for part in ("weight", "bias", "multipliers")
            if (value := getattr(op, f"{name}_{part}")) is not None
        )
        return Work(rows * depth * channels, rows * (depth + channels) + constant)

    keys = width if fused else queries
    read = width if fused else values
    parts = {"query": projection("query", rows, width, queries)}
    if fused:
        parts["value"] = Work(0, 2 * tokens * width)
    else:
        parts["key"] = projection("key", tokens, width, queries)
        parts["value"] = projection("value", tokens, width, values)
    return parts | {
        "scores": Work(rows * tokens * queries, rows * queries + tokens * keys + scores),
        "softmax": Work(0, 2 * scores),
        "context": Work(rows * tokens * values, scores + tokens * read + rows * values),
        "output": projection("output", rows, values, type_shape(op.result.type)[1]),
    }
