# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the passes decided, read from the attributes that they leave on a function."""

from __future__ import annotations

from dataclasses import dataclass

from tinyformer.mlir import ir
from tinyformer.reference.values import int_of


@dataclass(frozen=True)
class FusionDecision:
    """Whether a layer's query and key weights were fused, and the estimates for either form of
    what differs between them."""

    layer: str
    fused: bool
    plain_cycles: float
    fused_cycles: float
    plain_weight_bytes: int
    fused_weight_bytes: int


@dataclass(frozen=True)
class Schedule:
    """How one attention layer was tiled, and the estimates that decided.

    `arena_bytes` leaves out the layer's input and output.
    """

    layer: str
    schedule: str
    rows: int
    arena_bytes: int
    cycles: int


@dataclass(frozen=True)
class Arena:
    """The planned arena: its memory, size and lower bound in bytes."""

    memory: str
    size: int
    lower_bound: int


def read_fusion(function: ir.Operation) -> tuple[FusionDecision, ...]:
    """What `tinyattn-fuse-weights` decided, layer by layer."""
    if "tinyattn.fusion" not in function.attributes:
        return ()
    decisions = []
    for entry in function.attributes["tinyattn.fusion"]:
        fields = ir.DictAttr(entry)
        decisions.append(
            FusionDecision(
                str(ir.StringAttr(fields["layer"]).value),
                bool(ir.BoolAttr(fields["fused"]).value),
                *ir.DenseF64ArrayAttr(fields["cycles"]),
                *ir.DenseI64ArrayAttr(fields["weight_bytes"]),
            )
        )
    return tuple(decisions)


def read_schedules(function: ir.Operation) -> tuple[Schedule, ...]:
    """What `tinyattn-depth-first-tile` decided, layer by layer."""
    if "tinyattn.schedules" not in function.attributes:
        return ()
    return tuple(
        Schedule(
            layer=str(ir.StringAttr(entry["layer"]).value),
            schedule=str(ir.StringAttr(entry["schedule"]).value),
            rows=int_of(entry["rows"]),
            arena_bytes=int_of(entry["arena_bytes"]),
            cycles=int_of(entry["cycles"]),
        )
        for entry in map(ir.DictAttr, ir.ArrayAttr(function.attributes["tinyattn.schedules"]))
    )


def read_arena(function: ir.Operation) -> Arena:
    """The arena is the last argument of a bufferized function."""
    argument = function.regions[0].blocks[0].arguments[-1]
    attributes = ir.DictAttr(list(function.attributes["arg_attrs"])[-1])
    return Arena(
        memory=str(ir.StringAttr(attributes["tinyattn.arena"]).value),
        size=int(ir.MemRefType(argument.type).shape[0]),
        lower_bound=int_of(attributes["tinyattn.arena_lower_bound"]),
    )
