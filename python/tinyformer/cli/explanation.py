# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""An explanation as text: tables, and drawings in characters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tinyformer.cli.console import kibibytes
from tinyformer.report.fusion import fusion_line
from tinyformer.report.rows import row_lines

if TYPE_CHECKING:
    from rich.console import Console

    from tinyformer.decisions import Arena, MemoryPlan
    from tinyformer.report.explanation import Explanation, LayerSchedules

_PLOT_HEIGHT, _TIMELINE_HEIGHT = 16, 16


def print_explanation(explanation: Explanation, console: Console) -> None:
    """Decisions layer by layer, then the memory."""
    console.print(f"{explanation.model} on {explanation.target}", style="bold", markup=False)
    for line in row_lines(explanation.narrowed, explanation.feed_forward):
        console.print(line, markup=False, soft_wrap=True)
    for decision, reason in explanation.fusion:
        console.print(fusion_line(decision, reason), markup=False, soft_wrap=True)
    if not explanation.schedules:
        console.print(explanation.no_attention)
    print_schedules(explanation.schedules, console)
    for arena in explanation.arenas:
        console.print()
        _print_arena(explanation.plan, arena, console)
    console.print(f"inputs and outputs besides: {kibibytes(explanation.io_bytes)}")


def print_schedules(layers: Iterable[LayerSchedules], console: Console) -> None:
    """For each layer the choice, a table and a plot."""
    for layer in layers:
        console.print()
        _print_layer(layer, console)


def _print_layer(layer: LayerSchedules, console: Console) -> None:
    from rich.table import Table

    from tinyformer.report.pareto import pareto_text

    console.print(", ".join(layer.layers), style="bold", markup=False, soft_wrap=True)
    console.print(f"chosen: {layer.chosen.name}, {layer.reason}", markup=False, soft_wrap=True)
    table = Table()
    for title in ("schedule", "rows", "peak bytes", "est. cycles"):
        table.add_column(title, justify="left" if title == "schedule" else "right")
    table.add_column("front")
    table.add_column("")
    for c in layer.notable:
        mark = "chosen" if c.chosen else "" if c.fits else "does not fit"
        figures = (str(c.rows), f"{c.arena_bytes:,}", f"{c.cycles:,}")
        style = "bold" if c.chosen else None
        table.add_row(c.schedule, *figures, "yes" if c.on_front else "", mark, style=style)
    console.print(table)
    hidden = len(layer.candidates) - len(layer.notable)
    if hidden:
        console.print(f"and {hidden} more, which are in the page and in --json")
    if len(layer.candidates) < 2:
        return
    console.print("\nestimated cycles against peak bytes: # chosen, o on the front, . others")
    for line in pareto_text(layer, min(console.width, 100), _PLOT_HEIGHT):
        console.print(line, markup=False, no_wrap=True)


def _print_arena(plan: MemoryPlan, arena: Arena, console: Console) -> None:
    from rich.table import Table

    from tinyformer.report.timeline import lettered, step_name, timeline_text

    console.print(
        f"arena in {arena.memory}: {arena.size:,} bytes, lower bound {arena.lower_bound:,}",
        style="bold",
    )
    for line in timeline_text(plan, arena, min(console.width, 120) - 1, _TIMELINE_HEIGHT):
        console.print(line, markup=False, no_wrap=True)
    table = Table()
    table.add_column("")
    table.add_column("first written by", overflow="fold")
    for title in ("offset", "bytes", "steps"):
        table.add_column(title, justify="right")
    table.add_column("last used by", overflow="fold")
    for letter, b in lettered(plan, arena):
        figures = (f"{b.offset:,}", f"{b.size:,}", f"{b.first} to {b.last}")
        table.add_row(letter, b.name or "unnamed", *figures, step_name(plan, b.last))
    console.print(table)
