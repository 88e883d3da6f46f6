# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`tinyformer bench`: one layer with random weights, through the real pipeline."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyformer.cli.console import (
    ContentionOption,
    CoresOption,
    FuseOption,
    InstructionCacheOption,
    JsonOption,
    OptimizeOption,
    ScheduleOption,
    TargetOption,
    TileOption,
    UnrollOption,
    WaitStatesOption,
    console,
    kibibytes,
    print_json,
)
from tinyformer.cli.costs import cost, print_layers
from tinyformer.cli.flash import flash_command
from tinyformer.cli.paper import paper_command
from tinyformer.defaults import DEFAULT_UNROLL
from tinyformer.options import CompileOptions, OptionError
from tinyformer.report.fusion import fusion_json, fusion_lines

if TYPE_CHECKING:
    from tinyformer.bench.layers import Layer
    from tinyformer.simulators import SimulatorOptions
    from tinyformer.targets import Target

app = typer.Typer(
    help="Measure one layer with random weights; its outputs are compared with the reference.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

MemoryOption = Annotated[
    str | None,
    typer.Option(
        metavar="l1",
        help="Put weights, inputs, outputs and arena into L1, enlarged as far as they need.",
    ),
]
RowsOption = Annotated[
    str, typer.Option("--shape", metavar="ROWS,COLS", help="Rows and their length.")
]
SeedOption = Annotated[int, typer.Option(help="Seed of weights and inputs.")]


@app.command("attention")
def attention_command(
    shape: Annotated[
        str, typer.Option(metavar="S,E,P,H", help="Tokens, width, head width, heads.")
    ],
    target: TargetOption,
    queries: Annotated[
        int | None,
        typer.Option(help="Rows of the result that are read, 1 for a class token. [default: all]"),
    ] = None,
    cores: CoresOption = None,
    memory: MemoryOption = None,
    fuse: FuseOption = "auto",
    optimize: OptimizeOption = "cycles",
    tile: TileOption = "auto",
    schedule: ScheduleOption = None,
    unroll: UnrollOption = DEFAULT_UNROLL,
    seed: SeedOption = 0,
    wait_states: WaitStatesOption = 0,
    instruction_cache: InstructionCacheOption = True,
    contention: ContentionOption = True,
    as_json: JsonOption = False,
) -> None:
    """Benchmark one multi-head self-attention layer."""
    from tinyformer.bench import layers

    tokens, width, head_width, heads = _parse(shape, "S,E,P,H")
    options = CompileOptions(fuse, optimize, tile=tile, schedule=schedule, unroll=unroll)
    _check_rows("--tile", tile, tokens)
    shown: dict[str, Any] = {"fuse": fuse, "optimize": optimize, "tile": tile, "unroll": unroll}
    if queries is not None:
        _check_rows("--queries", str(queries), tokens)
        shown["queries"] = queries
    machine = _machine(target, cores, memory, wait_states, instruction_cache, contention)
    read = None if queries is None else (0, queries)
    layer = layers.attention(tokens, width, head_width, heads, seed, read)
    _report(layer, machine, shape, as_json, options, shown)


@app.command("linear")
def linear_command(
    shape: Annotated[
        str, typer.Option(metavar="M,N,K", help="Rows, output channels, input channels.")
    ],
    target: TargetOption,
    cores: CoresOption = None,
    memory: MemoryOption = None,
    seed: SeedOption = 0,
    wait_states: WaitStatesOption = 0,
    instruction_cache: InstructionCacheOption = True,
    contention: ContentionOption = True,
    as_json: JsonOption = False,
) -> None:
    """Benchmark one linear layer."""
    from tinyformer.bench import layers

    rows, channels, depth = _parse(shape, "M,N,K")
    machine = _machine(target, cores, memory, wait_states, instruction_cache, contention)
    _report(layers.linear(rows, channels, depth, seed), machine, shape, as_json)


ROW_LAYERS = {
    "softmax": "Benchmark one softmax along rows, normalised.",
    "layernorm": "Benchmark one layer normalisation of rows.",
    "lookup": "Benchmark one table lookup of each element, such as GELU.",
    "add": "Benchmark one sum of two tensors, such as a residual connection.",
}


def _add_row_command(kind: str, summary: str) -> None:
    """The command for a layer that `layers` makes of rows and columns."""

    def row_command(
        shape: RowsOption,
        target: TargetOption,
        cores: CoresOption = None,
        memory: MemoryOption = None,
        seed: SeedOption = 0,
        wait_states: WaitStatesOption = 0,
        instruction_cache: InstructionCacheOption = True,
        contention: ContentionOption = True,
        as_json: JsonOption = False,
    ) -> None:
        from tinyformer.bench import layers

        rows, columns = _parse(shape, "ROWS,COLS")
        machine = _machine(target, cores, memory, wait_states, instruction_cache, contention)
        layer = getattr(layers, kind)(rows, columns, seed)
        _report(layer, machine, shape, as_json)

    app.command(kind, help=summary)(row_command)


for _kind, _summary in ROW_LAYERS.items():
    _add_row_command(_kind, _summary)
app.command("flash")(flash_command)
app.command("paper")(paper_command)


def _parse(shape: str, form: str) -> list[int]:
    """Positive numbers of a shape option."""
    return parse_numbers("--shape", shape, form)


def parse_numbers(option: str, text: str, form: str) -> list[int]:
    """As many positive numbers as `form` has."""
    parts = text.split(",")
    if len(parts) != len(form.split(",")) or not all(p.strip().isdecimal() for p in parts):
        raise OptionError(f"{option} wants {form} as positive numbers, got '{text}'")
    numbers = [int(part) for part in parts]
    if min(numbers) < 1:
        raise OptionError(f"{option} wants {form} as positive numbers, got '{text}'")
    return numbers


def _print_rates(figures: dict[str, Any]) -> None:
    for rate, unit in (
        ("macs_per_cycle", "multiply-accumulates a cycle"),
        ("cycles_per_element", "cycles an element"),
    ):
        if figures[rate] is None:
            continue
        worse = figures[f"{rate}_pessimistic"]
        console.print(f"{figures[rate]:.3f}{f' ({worse:.3f})' if worse else ''} {unit}")


def _print_enlarged(chip: Target, measured: Target) -> None:
    if measured.l1_bytes and chip.l1_bytes and measured.l1_bytes > chip.l1_bytes:
        console.print(
            f"everything but code in L1, enlarged from {kibibytes(chip.l1_bytes)} to "
            f"{kibibytes(measured.l1_bytes)}"
        )


def _check_rows(option: str, rows: str, tokens: int) -> None:
    """A number of rows is checked here, where the number of tokens is known."""
    if rows.lstrip("-").isdecimal() and not 1 <= int(rows) <= tokens:
        raise OptionError(f"{option} takes 1 to {tokens} rows for this shape; got {rows}")


@dataclass(frozen=True)
class _Machine:
    """What a layer is measured on; `memory` is the one that all of it shall lie in."""

    chip: Target
    memory: str | None
    simulator: SimulatorOptions


def _machine(
    target: str,
    cores: int | None,
    memory: str | None,
    wait_states: int,
    instruction_cache: bool,
    contention: bool,
) -> _Machine:
    from tinyformer.simulators import SimulatorOptions
    from tinyformer.targets import get_target

    chip = get_target(target).with_cores(cores)
    simulator = SimulatorOptions(wait_states, instruction_cache, contention)
    simulator.check(chip)
    return _Machine(chip, memory, simulator)


def _report(
    layer: Layer,
    machine: _Machine,
    shape: str,
    as_json: bool,
    options: CompileOptions | None = None,
    shown: dict[str, Any] | None = None,
) -> None:
    from tinyformer.bench.figures import part_figures, rates
    from tinyformer.bench.measure import measure

    result = measure(
        layer, machine.chip, options, memory=machine.memory, simulator=machine.simulator
    )
    chip = result.target
    figures = {
        "target": chip.name,
        "shape": [int(part) for part in shape.split(",")],
        "cores": chip.cores,
        "memory": machine.memory,
        "l1_bytes": chip.l1_bytes,
        **(shown or {}),
        "bit_exact": result.bit_exact,
        **rates(layer.work, result.run.cycles, result.run.cycles_pessimistic),
        "peak_bytes": result.peak_bytes,
        "arena_bytes": result.arena_bytes,
        "arena_lower_bound_bytes": result.arena_lower_bound,
        "weight_bytes": result.image.weight_bytes,
        "code_bytes": result.image.code_bytes,
        "network_code_bytes": sum(result.run.kernel_bytes.values()),
        **cost(result.run, chip),
        "parts": part_figures(layer, result),
        "fusion": fusion_json(result.fusion, options or CompileOptions()),
    }
    for schedule in result.schedules:
        figures["schedule"] = {
            "kind": schedule.schedule,
            "rows": schedule.rows,
            "estimated_arena_bytes": schedule.arena_bytes,
            "estimated_cycles": schedule.cycles,
        }
    if as_json:
        print_json(figures)
    else:
        console.print(
            f"{layer.name} {shape} on {chip.name}: "
            f"{'same bits as the reference' if result.bit_exact else 'OTHER BITS'}"
        )
        _print_enlarged(machine.chip, chip)
        for line in fusion_lines(result.fusion, options or CompileOptions()):
            console.print(line, markup=False, soft_wrap=True)
        for schedule in result.schedules:
            console.print(f"schedule {schedule.schedule}, {schedule.rows} rows at a time")
        console.print(
            f"activations {kibibytes(result.peak_bytes)}, weights "
            f"{kibibytes(result.image.weight_bytes)}, code {kibibytes(result.image.code_bytes)}"
        )
        print_layers(result.run, chip, {})
        _print_rates(figures)
    if not result.bit_exact:
        sys.exit(1)
