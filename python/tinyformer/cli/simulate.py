# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`tinyformer simulate`: any program for a PULP cluster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyformer.cli.console import JsonOption, console, print_json

if TYPE_CHECKING:
    from tinyformer._pulp import CoreReport
    from tinyformer.simulators.pulp import ClusterOptions, ClusterRun

# Lines of the table of functions.
_SHOWN_FUNCTIONS = 20


def simulate_command(
    program: Annotated[Path, typer.Argument(metavar="ELF", help="A 32-bit RISC-V executable.")],
    chip: Annotated[str, typer.Option("--target", metavar="gap9|pulp-open")] = "gap9",
    cores: Annotated[int, typer.Option(min=1, max=8, help="Cores of the cluster.")] = 8,
    l1: Annotated[
        int | None,
        typer.Option(min=4, max=1024, metavar="KIB", help="Another L1 than the chip's own."),
    ] = None,
    measure: Annotated[
        str | None, typer.Option(metavar="FUNCTION", help="Count only the last call of it.")
    ] = None,
    layers_of: Annotated[
        str | None,
        typer.Option(metavar="FUNCTION", help="Count by the functions that it calls, too."),
    ] = None,
    instruction_cache: Annotated[bool, typer.Option(help="Model the instruction caches.")] = True,
    contention: Annotated[bool, typer.Option(help="Model the banks of L1.")] = True,
    races: Annotated[bool, typer.Option(help="Find races between cores.")] = True,
    trace: Annotated[bool, typer.Option("--trace", help="Print every instruction.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run an ELF for a PULP cluster; ends with the program's own exit status."""
    from tinyformer.simulators.pulp import ClusterOptions, ClusterProgram

    options = ClusterOptions(
        chip=chip,
        cores=cores,
        l1_bytes=None if l1 is None else l1 * 1024,
        instruction_cache=instruction_cache,
        contention=contention,
        race_detector=races,
    )
    loaded = ClusterProgram(program, options, measure=measure, layers_of=layers_of)
    try:
        finished = loaded.run(trace=typer.echo if trace else None)
    finally:
        if not as_json:
            typer.echo(loaded.output, nl=False)
    if as_json:
        print_json(_as_json(program, options, finished))
    else:
        _print(finished)
    raise typer.Exit(finished.exit_code & 0xFF)


def _as_json(program: Path, options: ClusterOptions, finished: ClusterRun) -> dict[str, Any]:
    return {
        "program": str(program),
        "target": options.chip,
        "l1_bytes": finished.l1_bytes,
        "timing_model": options.timing_model,
        "instruction_cache": options.instruction_cache,
        "contention": options.contention,
        "exit_code": finished.exit_code,
        "output": finished.output,
        "cycles": finished.cycles,
        "instructions": finished.instructions,
        "stack_bytes": finished.stack_bytes,
        "cores": list(finished.reports),
    }


def _print(finished: ClusterRun) -> None:
    from rich.table import Table

    table = Table(title=f"{finished.cycles:,} cycles", title_justify="left")
    table.add_column("core")
    names = {
        "instructions": "executed",
        "load_stalls": "load-use",
        "fetch_stalls": "fetch",
        "contention": "banks",
        "barrier_cycles": "barriers",
        "dma_wait_cycles": "DMA",
    }
    for title in (*names.values(), "stack"):
        table.add_column(title, justify="right")
    for report in finished.reports:
        stack = str(report["stack_bytes"]) if report["stack_bytes"] >= 0 else "-"
        counts = [f"{report['events'][event]:,}" for event in names]
        table.add_row(report["name"], *counts, stack)
    console.print(table)
    _print_functions(finished.reports)


def _print_functions(reports: Sequence[CoreReport]) -> None:
    from rich.table import Table

    cycles: dict[str, int] = {}
    for name, functions in reports[0]["layers"].items():
        if name:
            cycles[f"layer {name}"] = sum(functions.values())
    cycles |= {f"function {name}": n for name, n in reports[0]["functions"].items() if name}
    table = Table(title=f"cycles of {reports[0]['name']}", title_justify="left")
    table.add_column("where")
    table.add_column("cycles", justify="right")
    largest = sorted(cycles.items(), key=lambda item: -item[1])[:_SHOWN_FUNCTIONS]
    for name, count in largest:
        table.add_row(name, f"{count:,}")
    console.print(table)
