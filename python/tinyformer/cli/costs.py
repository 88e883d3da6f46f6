# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a run cost, for JSON and for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tinyformer.cli.console import console

if TYPE_CHECKING:
    from tinyformer.simulators import RunResult
    from tinyformer.targets import Target


def cost(result: RunResult, chip: Target) -> dict[str, Any]:
    """Cycles and what follows from them, for JSON; absent figures are null."""
    cycles = result.cycles
    energy = None if cycles is None else chip.energy_mj(cycles)
    return {
        "cycles": cycles,
        "instructions": result.instructions,
        "milliseconds": None if cycles is None else chip.milliseconds(cycles),
        "energy_uj_estimate": None if energy is None else 1e3 * energy,
        "stack_bytes": result.stack_bytes,
        "timing_model": result.timing_model,
        "cycles_pessimistic": result.cycles_pessimistic,
        "pessimistic_model": result.pessimistic_model,
        "instruction_cache": result.instruction_cache,
        "contention": result.contention,
        "dma_wait_cycles": result.dma_wait_cycles,
        "layers": {
            name: {
                "cycles": layer.cycles,
                "cycles_pessimistic": layer.cycles_pessimistic,
                "code_bytes": result.layer_bytes(layer),
                "kernels": dict(layer.kernels),
            }
            for name, layer in result.layers.items()
        },
        "kernels": dict(result.kernels),
        "kernel_code_bytes": dict(result.kernel_bytes),
    }


def _by_layer(result: RunResult, names: Mapping[str, str]) -> list[tuple[str, int, int]]:
    """Name, cycles and pessimistic cycles of each layer of the model, the most first."""
    sums: dict[str, tuple[int, int]] = {}
    for symbol, layer in result.layers.items():
        name = names.get(symbol, symbol)
        cycles, worse = sums.get(name, (0, 0))
        sums[name] = (cycles + layer.cycles, worse + (layer.cycles_pessimistic or 0))
    return sorted(((name, *both) for name, both in sums.items()), key=lambda row: -row[1])


def print_layers(result: RunResult, chip: Target, names: Mapping[str, str]) -> None:
    """Cycles of every layer as a table; nothing where there are none.

    `names` are those of the model's layers by function. Functions that have none stand for
    themselves.
    """
    from rich.table import Table

    if result.cycles is None:
        return
    second = result.cycles_pessimistic is not None
    table = Table(title=f"cycles ({result.timing_model})", title_justify="left")
    table.add_column("layer", overflow="fold")
    table.add_column("cycles", justify="right")
    table.add_column("share", justify="right")
    if second:
        table.add_column("pessimistic", justify="right")
    for name, cycles, pessimistic in _by_layer(result, names):
        share = f"{100 * cycles / result.cycles:.1f} %"
        table.add_row(name, f"{cycles:,}", share, *([f"{pessimistic:,}"] if second else []))
    table.add_section()
    worse = [f"{result.cycles_pessimistic:,}"] if second else []
    table.add_row("total", f"{result.cycles:,}", "", *worse)
    console.print(table)
    if second:
        console.print(f"pessimistic: {result.pessimistic_model}")
    milliseconds = chip.milliseconds(result.cycles)
    if milliseconds is not None and chip.clock_hz is not None:
        console.print(f"{milliseconds:.3f} ms at {chip.clock_hz / 1e6:g} MHz")
