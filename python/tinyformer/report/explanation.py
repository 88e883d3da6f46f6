# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What `tinyformer explain` shows, as data; the compile report takes it from here too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tinyformer.report.fusion import fusion_reason

if TYPE_CHECKING:
    from tinyformer.compiler import Compilation
    from tinyformer.decisions import (
        Arena,
        Considered,
        FusionDecision,
        MemoryPlan,
        NarrowedLayer,
        ScheduleChoice,
        TiledFeedForward,
    )

# More would hide the others.
_FRONT_ROWS = 10


@dataclass(frozen=True)
class Candidate:
    """A schedule with its estimates; on the front, no other is both smaller and faster.

    `arena_bytes` leaves out the layer's input and output.
    """

    schedule: str
    rows: int
    arena_bytes: int
    cycles: int
    fits: bool
    on_front: bool
    chosen: bool

    @property
    def name(self) -> str:
        """The schedule in words."""
        if self.schedule == "none":
            return self.schedule
        return f"{self.schedule}, {self.rows} row{'' if self.rows == 1 else 's'}"


@dataclass(frozen=True)
class LayerSchedules:
    """The candidates of one layer, or of several for which all is the same."""

    layers: tuple[str, ...]
    reason: str
    capacity: int
    candidates: tuple[Candidate, ...]

    @property
    def chosen(self) -> Candidate:
        """The one that the compiler took."""
        return next(candidate for candidate in self.candidates if candidate.chosen)

    @property
    def front(self) -> list[Candidate]:
        """The Pareto front, the smallest first."""
        front = [candidate for candidate in self.candidates if candidate.on_front]
        return sorted(front, key=lambda c: (c.arena_bytes, c.cycles))

    @property
    def notable(self) -> list[Candidate]:
        """The chosen one, the fastest and the smallest of each kind, and some of the front."""
        front = self.front
        kept = {id(c) for c in front[:: -(-len(front) // _FRONT_ROWS)]}
        kept.update(id(c) for c in (self.chosen, front[-1]))
        for kind in dict.fromkeys(c.schedule for c in self.candidates):
            same = [c for c in self.candidates if c.schedule == kind]
            kept.add(id(min(same, key=lambda c: (c.cycles, c.arena_bytes))))
            kept.add(id(min(same, key=lambda c: (c.arena_bytes, c.cycles))))
        listed = [c for c in self.candidates if id(c) in kept]
        return sorted(listed, key=lambda c: (c.arena_bytes, c.cycles))


@dataclass(frozen=True)
class Explanation:
    """A model on a target: what was decided, and the memory that came of it."""

    model: str
    target: str
    narrowed: tuple[NarrowedLayer, ...]
    feed_forward: tuple[TiledFeedForward, ...]
    fusion: tuple[tuple[FusionDecision, str], ...]
    schedules: tuple[LayerSchedules, ...]
    arenas: tuple[Arena, ...]
    io_bytes: int
    plan: MemoryPlan

    @property
    def no_attention(self) -> str:
        """What to say where there is nothing to schedule."""
        return "This model has no attention layer, so there is no schedule to choose."

    def to_json(self) -> dict[str, Any]:
        """Everything, for programs."""
        return {
            "model": self.model,
            "target": self.target,
            "narrowed": [asdict(layer) for layer in self.narrowed],
            "feed_forward": [asdict(network) for network in self.feed_forward],
            "fusion": [{**asdict(decision), "reason": why} for decision, why in self.fusion],
            "schedules": [asdict(layer) for layer in self.schedules],
            "arenas": [asdict(arena) for arena in self.arenas],
            "input_output_bytes": self.io_bytes,
            "plan": asdict(self.plan),
        }


def explain(compilation: Compilation) -> Explanation:
    """Reads what a compilation with the option `explain` decided; it must be planned already."""
    assert compilation.plan is not None
    tensors = (*compilation.input_tensors, *compilation.output_tensors)
    options = compilation.options
    return Explanation(
        model=compilation.name,
        target=compilation.target.name,
        narrowed=compilation.narrowed,
        feed_forward=compilation.feed_forward,
        fusion=tuple((d, fusion_reason(d, options)) for d in compilation.fusion),
        schedules=layer_schedules(compilation.choices),
        arenas=compilation.arenas,
        io_bytes=sum(tensor.bytes for tensor in tensors),
        plan=compilation.plan,
    )


def front_of(considered: Sequence[Considered]) -> set[int]:
    """Indices of those than which no other is smaller and no slower, or faster and no larger.

    Of several with the same estimates the first one counts.
    """
    front: set[int] = set()
    fastest: int | None = None
    order = sorted(
        range(len(considered)), key=lambda i: (considered[i].arena_bytes, considered[i].cycles)
    )
    for index in order:
        if fastest is None or considered[index].cycles < fastest:
            fastest = considered[index].cycles
            front.add(index)
    return front


def schedule_reason(choice: ScheduleChoice) -> str:
    """Why a schedule was chosen, in words."""
    capacity = f"the {choice.capacity:,} bytes that this layer may use"
    smallest = min(candidate.arena_bytes for candidate in choice.considered)
    return {
        "fastest": "the smallest of those about as fast as the fastest that fits " + capacity,
        "smallest-of-fast": "the smallest of those at most 4 % slower than the fastest, or 5 % "
        f"slower than the untiled program with or without fused weights, that fits {capacity}",
        "smallest": "the smallest peak was asked for",
        "none-fits": f"none fits {capacity}; this is the smallest, {smallest:,} bytes",
        "spills": f"its rows stream from the other memory; none that fits {capacity} is half as "
        "fast",
        "only": "the only one that the options allow",
    }[choice.reason]


def layer_schedules(choices: Sequence[ScheduleChoice]) -> tuple[LayerSchedules, ...]:
    """All choices; layers of the same shape usually have the same to choose from."""
    groups: dict[tuple[object, ...], tuple[ScheduleChoice, list[str]]] = {}
    for choice in choices:
        chosen = choice.chosen
        key = (choice.reason, choice.capacity, choice.considered, chosen.schedule, chosen.rows)
        groups.setdefault(key, (choice, []))[1].append(chosen.layer)
    return tuple(_layer(choice, tuple(layers)) for choice, layers in groups.values())


def _layer(choice: ScheduleChoice, layers: tuple[str, ...]) -> LayerSchedules:
    front, chosen = front_of(choice.considered), choice.chosen
    candidates = tuple(
        Candidate(
            **asdict(entry),
            fits=entry.arena_bytes <= choice.capacity,
            on_front=index in front,
            chosen=(entry.schedule, entry.rows) == (chosen.schedule, chosen.rows),
        )
        for index, entry in enumerate(choice.considered)
    )
    return LayerSchedules(layers, schedule_reason(choice), choice.capacity, candidates)
