# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`tinyformer eval`: accuracy in float, in integers and on the device."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyformer.cli.console import (
    CalibrationOption,
    ContentionOption,
    CoresOption,
    FuseOption,
    InstructionCacheOption,
    JsonOption,
    ModelArgument,
    OptimizeOption,
    PercentileOption,
    TileOption,
    WaitStatesOption,
    console,
    decibels,
    kibibytes,
    percent,
    print_json,
    progress_bar,
)
from tinyformer.cli.costs import cost
from tinyformer.defaults import DEFAULT_PERCENTILE
from tinyformer.options import CompileOptions
from tinyformer.report.fusion import fusion_json, fusion_lines

if TYPE_CHECKING:
    from tinyformer.compiler import Compilation
    from tinyformer.driver import Model
    from tinyformer.evaluation import DataSet, Evaluation, Unfused
    from tinyformer.simulators import SimulatorOptions
    from tinyformer.targets import Target


Row = tuple[str, ...]


@dataclass(frozen=True)
class _Result:
    """What came out for one target."""

    chip: Target
    evaluation: Evaluation
    compilation: Compilation

    @property
    def arena_bytes(self) -> int:
        return sum(self.evaluation.image.interface.arenas.values())


def eval_command(
    model: ModelArgument,
    target: Annotated[
        list[str],
        typer.Option("--target", metavar="TARGET", help="May be given several times."),
    ],
    data: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="Samples as for calibration, and 'labels' (class numbers)."
        ),
    ],
    calibration: CalibrationOption = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Use the first so many samples only.")
    ] = None,
    cores: CoresOption = None,
    fuse: FuseOption = "auto",
    tile: TileOption = "auto",
    optimize: OptimizeOption = "cycles",
    percentile: PercentileOption = DEFAULT_PERCENTILE,
    wait_states: WaitStatesOption = 0,
    instruction_cache: InstructionCacheOption = True,
    contention: ContentionOption = True,
    as_json: JsonOption = False,
) -> None:
    """Evaluate a model in float, in int8 reference and on simulated devices."""
    from tinyformer import driver
    from tinyformer.evaluation import load_data
    from tinyformer.simulators import SimulatorOptions
    from tinyformer.targets import get_target

    chips = [get_target(name).with_cores(cores) for name in target]
    simulator = SimulatorOptions(wait_states, instruction_cache, contention)
    for chip in chips:
        simulator.check(chip)
    options = CompileOptions(fuse, optimize, percentile, tile)
    loaded = driver.load(model, calibration)
    data_set = load_data(data, loaded, limit)
    results = [
        _evaluate(loaded, chip, options, data_set, simulator, quiet=as_json) for chip in chips
    ]
    if as_json:
        print_json([_describe(entry) for entry in results])
        return
    _print(loaded.imported.name, results)


def _evaluate(
    loaded: Model,
    chip: Target,
    options: CompileOptions,
    data_set: DataSet,
    simulator: SimulatorOptions,
    *,
    quiet: bool,
) -> _Result:
    """Compiles for one target, also without fused weights if some are, and runs all samples."""
    from tinyformer.evaluation import evaluate

    compilation = _calibrated(loaded, chip, options, "calibrate", quiet=quiet)
    plain = None
    if any(decision.fused for decision in compilation.fusion):
        unfused = replace(options, fuse="never")
        plain = _calibrated(loaded, chip, unfused, "calibrate without fusion", quiet=quiet)
    samples, labels = data_set
    with (
        tempfile.TemporaryDirectory() as scratch,
        progress_bar(f"run on {chip.name}", quiet=quiet) as progress,
    ):
        result = evaluate(
            loaded.imported.module,
            compilation,
            samples,
            labels,
            Path(scratch),
            progress,
            plain=plain,
            simulator=simulator,
        )
    return _Result(chip, result, compilation)


def _calibrated(
    loaded: Model, chip: Target, options: CompileOptions, title: str, *, quiet: bool
) -> Compilation:
    compilation = loaded.start(chip, options)
    with progress_bar(title, quiet=quiet) as compilation.progress:
        compilation.run_to("fuse")
    return compilation


def _describe(entry: _Result) -> dict[str, Any]:
    chip, result = entry.chip, entry.evaluation
    return {
        "target": chip.name,
        "cores": chip.cores,
        "samples": result.samples,
        "bit_exact_samples": result.bit_exact,
        "bit_exact": result.bit_exact == result.samples,
        "float_accuracy": result.float_accuracy,
        "reference_accuracy": result.reference_accuracy,
        "device_accuracy": result.device_accuracy,
        "snr_db": result.snr_db,
        "unfused": None if result.unfused is None else _describe_unfused(result.unfused),
        "fusion": fusion_json(entry.compilation.fusion, entry.compilation.options),
        "arena_bytes": entry.arena_bytes,
        "flash_bytes": result.image.flash_bytes,
        **cost(result.profile, chip),
    }


def _describe_unfused(unfused: Unfused) -> dict[str, Any]:
    # JSON has no infinity: null if fusion changed no output.
    noise = unfused.fusion_snr_db
    return {
        "reference_accuracy": unfused.accuracy,
        "snr_db": unfused.snr_db,
        "fused_to_unfused_snr_db": noise if isfinite(noise) else None,
    }


def _print(name: str, results: list[_Result]) -> None:
    from rich.table import Table

    for entry in results:
        for line in fusion_lines(entry.compilation.fusion, entry.compilation.options):
            console.print(f"{entry.chip.name}, {line}", markup=False, soft_wrap=True)
    samples = results[0].evaluation.samples
    table = Table(title=f"{name}: {samples} samples", title_justify="left")
    table.add_column("")
    for entry in results:
        table.add_column(entry.chip.name, justify="right")
    for section in (_accuracy_rows, _unfused_rows, _cost_rows, _size_rows):
        for row in section(results):
            table.add_row(*row)
        table.add_section()
    console.print(table)
    for entry in results:
        profile = entry.evaluation.profile
        if profile.timing_model:
            console.print(f"cycles of {entry.chip.name}: {profile.timing_model}")
        if profile.pessimistic_model:
            console.print(f"pessimistic of {entry.chip.name}: {profile.pessimistic_model}")


def _accuracy_rows(results: list[_Result]) -> list[Row]:
    found = [entry.evaluation for entry in results]
    return [
        ("accuracy, float", *(percent(r.float_accuracy) for r in found)),
        ("accuracy, int8 reference", *(percent(r.reference_accuracy) for r in found)),
        ("accuracy, int8 on the device", *(percent(r.device_accuracy) for r in found)),
        ("same bits as the reference", *(f"{r.bit_exact} of {r.samples}" for r in found)),
        ("signal to noise of the outputs", *(decibels(r.snr_db) for r in found)),
    ]


def _unfused_rows(results: list[_Result]) -> list[Row]:
    plains = [entry.evaluation.unfused for entry in results]
    if not any(plains):
        return []
    return [
        ("accuracy, int8, not fused", *(percent(p.accuracy) if p else "-" for p in plains)),
        ("signal to noise, not fused", *(decibels(p.snr_db) if p else "-" for p in plains)),
        (
            "signal to noise, fused to not fused",
            *(decibels(p.fusion_snr_db) if p else "-" for p in plains),
        ),
    ]


def _cost_rows(results: list[_Result]) -> list[Row]:
    costs = [cost(entry.evaluation.profile, entry.chip) for entry in results]

    def row(title: str, name: str, form: str) -> Row:
        return (title, *("-" if c[name] is None else form.format(c[name]) for c in costs))

    rows = [row("cycles", "cycles", "{:,}")]
    if any(c["cycles_pessimistic"] for c in costs):
        rows.append(row("cycles, pessimistic", "cycles_pessimistic", "{:,}"))
    rows.append(row("time", "milliseconds", "{:.2f} ms"))
    rows.append(row("energy (estimate)", "energy_uj_estimate", "{:.1f} µJ"))
    return rows


def _size_rows(results: list[_Result]) -> list[Row]:
    stacks = [entry.evaluation.profile.stack_bytes for entry in results]
    homes = dict.fromkeys(entry.chip.code_memory for entry in results)
    home = " or ".join(home for home in homes if home) or "library"
    flash = [entry.evaluation.image.flash_bytes for entry in results]
    return [
        ("arena", *(kibibytes(entry.arena_bytes) for entry in results)),
        ("stack", *("-" if size is None else f"{size} B" for size in stacks)),
        (f"code and weights ({home})", *map(kibibytes, flash)),
    ]
