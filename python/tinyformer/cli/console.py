# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the commands share: consoles, options, progress and number formats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tinyformer.progress import Progress as ProgressCallback

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

ModelArgument = Annotated[
    Path, typer.Argument(metavar="MODEL", help="ONNX file of an encoder transformer.")
]
CalibrationOption = Annotated[
    Path | None,
    typer.Option(
        "--calibration",
        metavar="FILE",
        help="Sample inputs, .npz by input name or .npy; the first axis counts samples. Not needed "
        "if the model is quantised.",
    ),
]
PercentileOption = Annotated[
    float,
    typer.Option(
        help="Share of the values, in percent, that a calibrated range covers on either side; "
        "100 is min-max."
    ),
]
FuseOption = Annotated[
    str,
    typer.Option(
        metavar="auto|always|never",
        help="Fuse the weights of attention; auto decides by the cost model, per layer.",
    ),
]
OptimizeOption = Annotated[
    str, typer.Option(metavar="cycles|size", help="What the automatic choices save.")
]
TileOption = Annotated[
    str,
    typer.Option(
        metavar="auto|none|min|ROWS",
        help="Tile attention depth-first: the best schedule that fits, not at all, the smallest "
        "peak, or ROWS at a time.",
    ),
]
UnrollOption = Annotated[
    int,
    typer.Option(
        min=1, help="Steps of an inner product that kernels of Cortex-M unroll: code for cycles."
    ),
]
WaitStatesOption = Annotated[
    int,
    typer.Option(
        "--wait-states", min=0, max=4, help="Of the flash, for stm32l4: 4 at its full 80 MHz."
    ),
]
CoresOption = Annotated[
    int | None,
    typer.Option(min=1, help="Cores of the target that may be used; all, if not given."),
]
InstructionCacheOption = Annotated[
    bool, typer.Option(help="Model the instruction caches of a cluster.")
]
ContentionOption = Annotated[
    bool, typer.Option(help="Model the banks of a cluster's L1, each with one access a cycle.")
]
ScheduleOption = Annotated[
    str | None,
    typer.Option(
        metavar="KIND",
        help="Consider one kind of schedule only: heads-context, heads-accumulate, rows-all, "
        "rows-context, rows-accumulate, halves-accumulate or quarters-accumulate.",
    ),
]
TargetOption = Annotated[
    str, typer.Option("--target", metavar="TARGET", help="See 'tinyformer targets'.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def print_json(data: Any) -> None:
    """One object on standard output, for programs."""
    typer.echo(json.dumps(data, indent=2))


@contextmanager
def progress_bar(title: str, *, quiet: bool) -> Iterator[ProgressCallback]:
    """A bar on standard error that disappears when it is done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors, transient=True, disable=quiet) as bar:
        task = bar.add_task(title, total=None)

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield update


def kibibytes(size: int) -> str:
    """Bytes as text, such as `12.3 KiB`."""
    return f"{size / 1024:.1f} KiB" if size >= 1024 else f"{size} B"


def decibels(ratio: float | None) -> str:
    """A signal to noise ratio as text, such as `31.0 dB`."""
    return "-" if ratio is None else f"{ratio:.1f} dB"


def percent(share: float | None) -> str:
    """A share as text, such as `97.5 %`."""
    return "-" if share is None else f"{100 * share:.1f} %"
