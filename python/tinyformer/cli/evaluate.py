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
    from tinyformer.evaluation import Evaluation, Unfused
    from tinyformer.targets import Target


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
    from tinyformer.evaluation import evaluate, load_data
    from tinyformer.simulators import SimulatorOptions
    from tinyformer.targets import get_target

    chips = [get_target(name).with_cores(cores) for name in target]
    simulator = SimulatorOptions(wait_states, instruction_cache, contention)
    for chip in chips:
        simulator.check(chip)
    options = CompileOptions(fuse, optimize, percentile, tile)
    loaded = driver.load(model, calibration)
    samples, labels = load_data(data, loaded, limit)
    results: list[_Result] = []
    for chip in chips:
        compilation = loaded.start(chip, options)
        with progress_bar("calibrate", quiet=as_json) as compilation.progress:
            compilation.run_to("fuse")
        plain: Compilation | None = None
        if any(decision.fused for decision in compilation.fusion):
            plain = loaded.start(chip, replace(options, fuse="never"))
            with progress_bar("calibrate without fusion", quiet=as_json) as plain.progress:
                plain.run_to("fuse")
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
                plain=plain,
                simulator=simulator,
            )
        results.append(_Result(chip, result, compilation))
    if as_json:
        print_json([_describe(entry) for entry in results])
        return
    _print(loaded.imported.name, results)


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
    evaluations = [entry.evaluation for entry in results]
    table = Table(title=f"{name}: {evaluations[0].samples} samples", title_justify="left")
    table.add_column("")
    for entry in results:
        table.add_column(entry.chip.name, justify="right")

    def row(title: str, texts: list[str]) -> None:
        table.add_row(title, *texts)

    row("accuracy, float", [percent(r.float_accuracy) for r in evaluations])
    row("accuracy, int8 reference", [percent(r.reference_accuracy) for r in evaluations])
    row("accuracy, int8 on the device", [percent(r.device_accuracy) for r in evaluations])
    row("same bits as the reference", [f"{r.bit_exact} of {r.samples}" for r in evaluations])
    row("signal to noise of the outputs", [decibels(r.snr_db) for r in evaluations])
    if any(r.unfused for r in evaluations):
        table.add_section()
        plains = [r.unfused for r in evaluations]
        row("accuracy, int8, not fused", [percent(p.accuracy) if p else "-" for p in plains])
        row("signal to noise, not fused", [f"{p.snr_db:.1f} dB" if p else "-" for p in plains])
        row(
            "signal to noise, fused to not fused",
            [f"{p.fusion_snr_db:.1f} dB" if p else "-" for p in plains],
        )
    table.add_section()
    costs = [cost(entry.evaluation.profile, entry.chip) for entry in results]
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
    row("arena", [kibibytes(entry.arena_bytes) for entry in results])
    row(
        "stack",
        [
            "-" if r.profile.stack_bytes is None else f"{r.profile.stack_bytes} B"
            for r in evaluations
        ],
    )
    homes = dict.fromkeys(entry.chip.code_memory for entry in results)
    title = " or ".join(home for home in homes if home) or "library"
    row(f"code and weights ({title})", [kibibytes(r.image.flash_bytes) for r in evaluations])
    console.print(table)
    for entry in results:
        profile = entry.evaluation.profile
        if profile.timing_model:
            console.print(f"cycles of {entry.chip.name}: {profile.timing_model}")
        if profile.pessimistic_model:
            console.print(f"pessimistic of {entry.chip.name}: {profile.pessimistic_model}")
