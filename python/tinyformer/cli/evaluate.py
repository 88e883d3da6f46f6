# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`tinyformer eval`: accuracy in float, in integers and on the device."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyformer.cli.console import (
    CalibrationOption,
    FuseOption,
    JsonOption,
    ModelArgument,
    OptimizeOption,
    PercentileOption,
    TileOption,
    WaitStatesOption,
    console,
    kibibytes,
    percent,
    print_json,
    progress_bar,
)
from tinyformer.cli.costs import cost
from tinyformer.defaults import DEFAULT_PERCENTILE
from tinyformer.options import CompileOptions

if TYPE_CHECKING:
    from tinyformer.evaluation import Evaluation
    from tinyformer.targets import Target


def eval_command(
    model: ModelArgument,
    target: Annotated[
        list[str],
        typer.Option("--target", metavar="TARGET", help="May be given several times."),
    ],
    calibration: CalibrationOption,
    data: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="Samples as for calibration, and 'labels' (class numbers)."
        ),
    ],
    limit: Annotated[
        int | None, typer.Option(min=1, help="Use the first so many samples only.")
    ] = None,
    fuse: FuseOption = "auto",
    tile: TileOption = "auto",
    optimize: OptimizeOption = "cycles",
    percentile: PercentileOption = DEFAULT_PERCENTILE,
    wait_states: WaitStatesOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Evaluate a model in float, in int8 reference and on simulated devices."""
    from tinyformer import driver
    from tinyformer.evaluation import evaluate
    from tinyformer.simulators.flash import check_wait_states
    from tinyformer.targets import get_target

    chips = [get_target(name) for name in target]
    for chip in chips:
        check_wait_states(wait_states, chip)
    options = CompileOptions(fuse, optimize, percentile, tile)
    loaded = driver.load(model, calibration)
    samples, labels = _read_data(data, list(loaded.samples), limit)
    results: list[tuple[Target, Evaluation, int]] = []
    for chip in chips:
        compilation = loaded.start(chip, options)
        with progress_bar("calibrate", quiet=as_json) as compilation.progress:
            compilation.run_to("fuse")
        with (
            tempfile.TemporaryDirectory() as scratch,
            progress_bar(f"run on {chip.name}", quiet=as_json) as progress,
        ):
            result = evaluate(
                loaded.imported.module,
                compilation,
                samples,
                labels,
                Path(scratch),
                progress,
                wait_states=wait_states,
            )
        assert compilation.arena is not None
        results.append((chip, result, compilation.arena.size))
    if as_json:
        print_json([_describe(*entry) for entry in results])
        return
    _print(loaded.imported.name, results)


def _read_data(
    path: Path, names: list[str], limit: int | None
) -> tuple[dict[str, Any], Any | None]:
    import numpy as np

    from tinyformer.calibration import load_samples

    samples = {name: array[:limit] for name, array in load_samples(str(path), names).items()}
    if path.suffix != ".npz":
        return samples, None
    with np.load(path, allow_pickle=False) as archive:
        labels = archive["labels"][:limit] if "labels" in archive.files else None
    return samples, labels


def _describe(chip: Target, result: Evaluation, arena: int) -> dict[str, Any]:
    return {
        "target": chip.name,
        "samples": result.samples,
        "bit_exact_samples": result.bit_exact,
        "bit_exact": result.bit_exact == result.samples,
        "float_accuracy": result.float_accuracy,
        "reference_accuracy": result.reference_accuracy,
        "device_accuracy": result.device_accuracy,
        "snr_db": result.snr_db,
        "arena_bytes": arena,
        "flash_bytes": result.image.flash_bytes,
        **cost(result.profile, chip),
    }


def _print(name: str, results: list[tuple[Target, Evaluation, int]]) -> None:
    from rich.table import Table

    table = Table(title=f"{name}: {results[0][1].samples} samples", title_justify="left")
    table.add_column("")
    for chip, _, _ in results:
        table.add_column(chip.name, justify="right")

    def row(title: str, texts: list[str]) -> None:
        table.add_row(title, *texts)

    row("accuracy, float", [percent(r.float_accuracy) for _, r, _ in results])
    row("accuracy, int8 reference", [percent(r.reference_accuracy) for _, r, _ in results])
    row("accuracy, int8 on the device", [percent(r.device_accuracy) for _, r, _ in results])
    row("same bits as the reference", [f"{r.bit_exact} of {r.samples}" for _, r, _ in results])
    row("signal to noise of the outputs", [f"{r.snr_db:.1f} dB" for _, r, _ in results])
    table.add_section()
    costs = [cost(r.profile, chip) for chip, r, _ in results]
    row("cycles", ["-" if c["cycles"] is None else f"{c['cycles']:,}" for c in costs])
    worse = [c["cycles_pessimistic"] for c in costs]
    if any(worse):
        row("cycles, pessimistic", ["-" if w is None else f"{w:,}" for w in worse])
    row(
        "time", ["-" if c["milliseconds"] is None else f"{c['milliseconds']:.2f} ms" for c in costs]
    )
    row(
        "energy (estimate)",
        [
            "-" if c["energy_uj_estimate"] is None else f"{c['energy_uj_estimate']:.1f} µJ"
            for c in costs
        ],
    )
    table.add_section()
    row("arena", [kibibytes(arena) for _, _, arena in results])
    row(
        "stack",
        [
            "-" if r.profile.stack_bytes is None else f"{r.profile.stack_bytes} B"
            for _, r, _ in results
        ],
    )
    row("flash", [kibibytes(r.image.flash_bytes) for _, r, _ in results])
    console.print(table)
    for chip, result, _ in results:
        if result.profile.timing_model:
            console.print(f"cycles of {chip.name}: {result.profile.timing_model}")
        if result.profile.pessimistic_model:
            console.print(f"pessimistic of {chip.name}: {result.profile.pessimistic_model}")
