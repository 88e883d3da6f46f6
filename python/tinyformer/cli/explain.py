# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`tinyformer explain`: what the compiler decided, and the memory that came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyformer.cli.console import (
    CalibrationOption,
    CoresOption,
    FuseOption,
    JsonOption,
    ModelArgument,
    OptimizeOption,
    PercentileOption,
    ScheduleOption,
    TargetOption,
    TileOption,
    print_json,
    progress_bar,
)
from tinyformer.cli.console import console as terminal
from tinyformer.defaults import DEFAULT_PERCENTILE
from tinyformer.errors import TinyFormerError
from tinyformer.files import write_text
from tinyformer.options import CompileOptions


def explain_command(
    model: ModelArgument,
    target: TargetOption,
    calibration: CalibrationOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.html",
            help="Write a page with pictures, one file that needs nothing else.",
        ),
    ] = None,
    cores: CoresOption = None,
    fuse: FuseOption = "auto",
    tile: TileOption = "auto",
    schedule: ScheduleOption = None,
    optimize: OptimizeOption = "cycles",
    percentile: PercentileOption = DEFAULT_PERCENTILE,
    as_json: JsonOption = False,
) -> None:
    """Show how attention is scheduled and why, and where each buffer lies."""
    from tinyformer import driver
    from tinyformer.cli.explanation import print_explanation, print_schedules
    from tinyformer.compiler import CompilerError
    from tinyformer.report.explanation import explain, layer_schedules
    from tinyformer.report.page import explanation_page
    from tinyformer.targets import get_target

    _check_output(output)
    options = CompileOptions(fuse, optimize, percentile, tile, schedule, explain=True)
    chip = get_target(target).with_cores(cores)
    compilation = driver.load(model, calibration).start(chip, options)
    with progress_bar("calibrate", quiet=as_json) as compilation.progress:
        compilation.run_to("fuse")
    compilation.run_to("tile")
    try:
        compilation.run_to("bufferize")
    except CompilerError:
        # There is no plan, but there is what it was made for.
        if not as_json:
            print_schedules(layer_schedules(compilation.choices), terminal)
        raise
    explanation = explain(compilation)
    if output is not None:
        write_text(output, explanation_page(explanation))
    if as_json:
        print_json({**explanation.to_json(), "page": None if output is None else str(output)})
        return
    print_explanation(explanation, terminal)
    if output is not None:
        terminal.print(f"wrote {output}", markup=False)


def _check_output(path: Path | None) -> None:
    """Before the work is done: a folder is what `compile` takes."""
    if path is not None and path.is_dir():
        raise TinyFormerError(f"--output takes a file for the page; '{path}' is a folder")
