# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the passes decided, read from the attributes that they leave on a function."""

from __future__ import annotations

from dataclasses import dataclass

from tinyformer.mlir import ir
from tinyformer.reference.values import int_of


@dataclass(frozen=True)
class NarrowedLayer:
    """A layer of whose rows not all are read: it computes `rows` of `of`."""

    layer: str
    rows: int
    of: int


@dataclass(frozen=True)
class TiledFeedForward:
    """A feed-forward network that runs for `rows` rows at a time, by its first linear layer."""

    layer: str
    rows: int


@dataclass(frozen=True)
class FusionDecision:
    """Whether a layer's weights were fused, and the estimates for either form of
    what differs between them, in cycles of one core and bytes. A layer that arrived
    `quantized` keeps its own integers."""

    layer: str
    fused: bool
    quantized: bool
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
class Considered:
    """One schedule that there was to choose from, with its estimates."""

    schedule: str
    rows: int
    arena_bytes: int
    cycles: int


@dataclass(frozen=True)
class ScheduleChoice:
    """What a layer's schedule was chosen from, and why it was.

    `reason` is fastest, smallest-of-fast, smallest, none-fits, spills or only; `capacity` are the
    bytes that the target's largest memory leaves to the layer.
    """

    chosen: Schedule
    reason: str
    capacity: int
    considered: tuple[Considered, ...]


@dataclass(frozen=True)
class PlannedBuffer:
    """Where a buffer lies, and the first and last step at which it is alive."""

    name: str
    memory: str
    offset: int
    size: int
    first: int
    last: int


@dataclass(frozen=True)
class MemoryPlan:
    """The buffers of all arenas; `steps` are the names of the ops that touch them, in order."""

    steps: tuple[str, ...]
    buffers: tuple[PlannedBuffer, ...]


@dataclass(frozen=True)
class Arena:
    """A planned arena: its memory, size and lower bound in bytes."""

    memory: str
    size: int
    lower_bound: int


def read_narrowed(function: ir.Operation) -> tuple[NarrowedLayer, ...]:
    """What `tinyattn-narrow-to-slices` found, layer by layer."""
    if "tinyattn.narrowed" not in function.attributes:
        return ()
    entries = map(ir.DictAttr, function.attributes["tinyattn.narrowed"])
    return tuple(
        NarrowedLayer(_text(entry["layer"]), int_of(entry["rows"]), int_of(entry["of"]))
        for entry in entries
    )


def read_feed_forward(function: ir.Operation) -> tuple[TiledFeedForward, ...]:
    """What `tinyattn-tile-feed-forward` did, network by network."""
    if "tinyattn.feed_forward" not in function.attributes:
        return ()
    entries = map(ir.DictAttr, function.attributes["tinyattn.feed_forward"])
    return tuple(TiledFeedForward(_text(e["layer"]), int_of(e["rows"])) for e in entries)


def read_fusion(function: ir.Operation) -> tuple[FusionDecision, ...]:
    """What `tinyattn-fuse-weights` decided, layer by layer."""
    if "tinyattn.fusion" not in function.attributes:
        return ()
    decisions = []
    for entry in function.attributes["tinyattn.fusion"]:
        fields = ir.DictAttr(entry)
        decisions.append(
            FusionDecision(
                _text(fields["layer"]),
                bool(ir.BoolAttr(fields["fused"]).value),
                bool(ir.BoolAttr(fields["quantized"]).value),
                *ir.DenseF64ArrayAttr(fields["cycles"]),
                *ir.DenseI64ArrayAttr(fields["weight_bytes"]),
            )
        )
    return tuple(decisions)


def read_schedules(function: ir.Operation) -> tuple[Schedule, ...]:
    """What `tinyattn-depth-first-tile` decided, layer by layer."""
    if "tinyattn.schedules" not in function.attributes:
        return ()
    return tuple(map(_schedule, function.attributes["tinyattn.schedules"]))


def read_choices(function: ir.Operation) -> tuple[ScheduleChoice, ...]:
    """The same with all that was considered, if the compilation was asked to explain."""
    if "tinyattn.schedules" not in function.attributes:
        return ()
    return tuple(map(_choice, function.attributes["tinyattn.schedules"]))


def read_plan(function: ir.Operation) -> MemoryPlan:
    """The plan that `tinyattn-plan-memory` leaves if the compilation was asked to explain."""
    plan = ir.DictAttr(function.attributes["tinyattn.plan"])
    return MemoryPlan(
        tuple(_text(step) for step in ir.ArrayAttr(plan["steps"])),
        tuple(
            PlannedBuffer(
                _text(entry["name"]),
                _text(entry["memory"]),
                *(int_of(entry[key]) for key in ("offset", "size", "first", "last")),
            )
            for entry in map(ir.DictAttr, ir.ArrayAttr(plan["buffers"]))
        ),
    )


def read_layers(module: ir.Module) -> dict[str, str]:
    """The name of the layer that each function of a module with kernels was made for.

    Kernels that layers share have none.
    """
    functions = (op.operation for op in module.body.operations)
    named = ((f, location_name(f.location)) for f in functions if f.name == "func.func")
    layers = {_text(f.attributes["sym_name"]): name for f, name in named if name}
    return {symbol: name for symbol, name in layers.items() if not symbol.startswith("tf_")}


def location_name(location: ir.Location) -> str:
    """The name in a location; empty if it has none."""
    text = str(location)
    return text.split('"')[1] if text.count('"') >= 2 else ""


def _schedule(attribute: ir.Attribute) -> Schedule:
    entry = ir.DictAttr(attribute)
    return Schedule(
        _text(entry["layer"]),
        _text(entry["schedule"]),
        *(int_of(entry[key]) for key in ("rows", "arena_bytes", "cycles")),
    )


def _choice(attribute: ir.Attribute) -> ScheduleChoice:
    entry = ir.DictAttr(attribute)
    considered: list[Considered] = []
    for kind in map(ir.DictAttr, ir.ArrayAttr(entry["considered"])):
        columns = (ir.DenseI64ArrayAttr(kind[key]) for key in ("rows", "arena_bytes", "cycles"))
        name = _text(kind["schedule"])
        considered.extend(Considered(name, *row) for row in zip(*columns, strict=True))
    return ScheduleChoice(
        _schedule(attribute),
        _text(entry["reason"]),
        int_of(entry["capacity"]),
        tuple(considered),
    )


def _text(attribute: ir.Attribute) -> str:
    return str(ir.StringAttr(attribute).value)


def read_arenas(function: ir.Operation) -> tuple[Arena, ...]:
    """The arenas are the last arguments of a bufferized function, one for each memory used."""
    arguments = function.regions[0].blocks[0].arguments
    described = zip(arguments, map(ir.DictAttr, function.attributes["arg_attrs"]), strict=True)
    return tuple(
        Arena(
            memory=_text(attributes["tinyattn.arena"]),
            size=int(ir.MemRefType(argument.type).shape[0]),
            lower_bound=int_of(attributes["tinyattn.arena_lower_bound"]),
        )
        for argument, attributes in described
        if "tinyattn.arena" in attributes
    )
