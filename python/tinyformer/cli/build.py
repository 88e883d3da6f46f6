# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`tinyformer compile` and `tinyformer run`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
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
    TargetOption,
    TileOption,
    WaitStatesOption,
    console,
    kibibytes,
    print_json,
    progress_bar,
)
from tinyformer.cli.costs import cost, print_layers
from tinyformer.defaults import DEFAULT_PERCENTILE
from tinyformer.options import CompileOptions
from tinyformer.report.fusion import fusion_json, fusion_lines
from tinyformer.report.rows import row_lines

if TYPE_CHECKING:
    from tinyformer.compiler import Compilation
    from tinyformer.driver import Model
    from tinyformer.evaluation import Evaluation
    from tinyformer.firmware import FirmwareImage
    from tinyformer.package import Package
    from tinyformer.simulators import RunResult, SimulatorOptions
    from tinyformer.targets import Target


def compile_command(
    model: ModelArgument,
    target: TargetOption,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results.")
    ],
    calibration: CalibrationOption = None,
    emit: Annotated[
        str | None,
        typer.Option(
            metavar="PHASE",
            help="Stop after import, fuse, quantize, tile, bufferize, kernels or llvm, and write "
            "the module to DIR/<name>.<phase>.mlir.",
        ),
    ] = None,
    cores: CoresOption = None,
    fuse: FuseOption = "auto",
    tile: TileOption = "auto",
    optimize: OptimizeOption = "cycles",
    percentile: PercentileOption = DEFAULT_PERCENTILE,
    report: Annotated[
        bool, typer.Option(help="Run the program once and write DIR/report.html.")
    ] = True,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Samples and 'labels' for the accuracy in the report, as in eval."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compile an ONNX model to a library and a program for a target."""
    from tinyformer import driver, package
    from tinyformer.targets import get_target

    chip = get_target(target).with_cores(cores)
    explain = report and emit is None
    loaded = driver.load(model, calibration)
    compilation = loaded.start(
        chip, CompileOptions(fuse, optimize, percentile, tile, explain=explain)
    )
    if emit != "import":
        with progress_bar("calibrate", quiet=as_json) as compilation.progress:
            compilation.run_to("fuse")
    if emit is not None:
        compilation.run_to(emit)
        with package.atomic_directory(output) as scratch:
            written = output / f"{compilation.name}.{emit}.mlir"
            (scratch / written.name).write_text(compilation.text(), "utf-8")
        print_json({"module": str(written)}) if as_json else console.print(f"wrote {written}")
        return
    evaluation = None
    if explain and data is not None:
        evaluation = _evaluate(loaded, compilation, data, quiet=as_json)
    image = package.write(compilation, output, evaluation)
    if as_json:
        fusion = fusion_json(compilation.fusion, compilation.options)
        narrowed = [asdict(layer) for layer in compilation.narrowed]
        tiled = [asdict(network) for network in compilation.feed_forward]
        rows = {"narrowed": narrowed, "feed_forward": tiled}
        print_json({**_sizes(image), **rows, "fusion": fusion})
        return
    decided = row_lines(compilation.narrowed, compilation.feed_forward)
    for line in [*decided, *fusion_lines(compilation.fusion, compilation.options)]:
        console.print(line, markup=False, soft_wrap=True)
    _print_sizes(image, chip, output)
    if explain:
        console.print(f"report: {output / package.REPORT}", markup=False, soft_wrap=True)


def _evaluate(loaded: Model, compilation: Compilation, data: Path, *, quiet: bool) -> Evaluation:
    import tempfile

    from tinyformer.evaluation import evaluate, load_data

    samples, labels = load_data(data, loaded)
    with (
        tempfile.TemporaryDirectory() as scratch,
        progress_bar("evaluate", quiet=quiet) as progress,
    ):
        module = loaded.imported.module
        return evaluate(module, compilation, samples, labels, Path(scratch), progress)


def _sizes(image: FirmwareImage) -> dict[str, Any]:
    return {
        "name": image.interface.name,
        "target": image.target_name,
        "cores": image.cores,
        "program": str(image.path),
        "arenas": dict(image.interface.arenas),
        "code_bytes": image.code_bytes,
        "weight_bytes": image.weight_bytes,
        "flash_bytes": image.flash_bytes,
        "ram_bytes": dict(image.ram_bytes),
    }


def _print_sizes(image: FirmwareImage, chip: Target, output: Path) -> None:
    from rich.table import Table

    from tinyformer.report.measurement import memory_uses

    table = Table(title=f"{image.interface.name} on {chip.name}")
    table.add_column("memory")
    table.add_column("used", justify="right")
    table.add_column("of", justify="right")
    for use in memory_uses(image, chip):
        table.add_row(use.name, kibibytes(use.used), kibibytes(use.size))
    console.print(table)
    arenas = ", ".join(
        f"{kibibytes(size)} in {name}" for name, size in image.interface.arenas.items()
    )
    console.print(
        f"arena: {arenas}; code {kibibytes(image.code_bytes)}, "
        f"weights {kibibytes(image.weight_bytes)}"
    )
    console.print(f"next: tinyformer run {output} --input FILE")


def run_command(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder that 'tinyformer compile' wrote.")
    ],
    inputs: Annotated[
        Path,
        typer.Option(
            "--input",
            metavar="FILE",
            help="One sample, or samples on the first axis: .npz or .npy.",
        ),
    ],
    sample: Annotated[int, typer.Option(help="Which sample of FILE to run.")] = 0,
    wait_states: WaitStatesOption = 0,
    instruction_cache: InstructionCacheOption = True,
    contention: ContentionOption = True,
    simulator: Annotated[
        str,
        typer.Option(
            metavar="builtin|gvsoc", help="For clusters: GVSoC's pulp-open, if it is on the PATH."
        ),
    ] = "builtin",
    as_json: JsonOption = False,
) -> None:
    """Run compiled firmware on its simulator and compare it with the reference."""
    from tinyformer import package
    from tinyformer.simulators import SimulatorOptions

    compiled = package.read(directory)
    reals = _read_sample(inputs, compiled.image.interface, sample)
    options = SimulatorOptions(wait_states, instruction_cache, contention, simulator)
    finished = _run(compiled, reals, options)
    if as_json:
        print_json(_describe(finished))
        return
    _print(finished)


@dataclass(frozen=True)
class _Run:
    """One sample on the simulator; outputs are real numbers, by name. `layers` are those of the
    model, by function."""

    layers: Mapping[str, str]
    chip: Target
    cores: int
    outputs: dict[str, Any]
    exact: bool
    result: RunResult


def _run(compiled: Package, reals: list[Any], options: SimulatorOptions) -> _Run:
    import numpy as np

    from tinyformer.mlir import ir
    from tinyformer.quantization import dequantize, quantize
    from tinyformer.reference import Interpreter
    from tinyformer.simulators import simulate
    from tinyformer.targets import get_target

    image, interface = compiled.image, compiled.image.interface
    chip = get_target(image.target_name)
    integers = [quantize(x, tensor) for x, tensor in zip(reals, interface.inputs, strict=True)]
    result = simulate(image, chip, integers, profile=True, options=options)
    with ir.Context():
        reference = Interpreter(ir.Module.parse(compiled.reference.read_text("utf-8")))
    expected = reference.run(integers)
    outputs = {
        tensor.name: dequantize(values, tensor)
        for tensor, values in zip(interface.outputs, result.outputs, strict=True)
    }
    exact = all(map(np.array_equal, expected, result.outputs))
    return _Run(compiled.layers, chip, image.cores, outputs, exact, result)


def _describe(run: _Run) -> dict[str, Any]:
    return {
        "target": run.chip.name,
        "cores": run.cores,
        "bit_exact": run.exact,
        "outputs": {name: values.tolist() for name, values in run.outputs.items()},
        **cost(run.result, run.chip),
    }


def _print(run: _Run) -> None:
    import numpy as np

    for name, values in run.outputs.items():
        text = np.array2string(values, precision=4, suppress_small=True, max_line_width=1000)
        console.print(f"{name} = {text}", soft_wrap=True)
    console.print(f"same bits as the reference: {'yes' if run.exact else 'NO'}")
    print_layers(run.result, run.chip, run.layers)


def _read_sample(path: Path, interface: Any, sample: int) -> list[Any]:
    """One array an input, of exactly its shape."""
    from tinyformer.errors import CalibrationError
    from tinyformer.samples import load_samples

    data = load_samples(str(path), [tensor.name for tensor in interface.inputs])
    arrays = []
    for tensor in interface.inputs:
        array = data[tensor.name]
        if array.shape == tensor.shape:
            array = array[None]
        if array.shape[1:] != tensor.shape:
            raise CalibrationError(
                f"input '{tensor.name}' has shape {list(array.shape)} in '{path}', "
                f"expected {list(tensor.shape)} or samples of it on the first axis"
            )
        if not 0 <= sample < len(array):
            raise CalibrationError(
                f"'{path}' has {len(array)} samples, there is no sample {sample}"
            )
        arrays.append(array[sample])
    return arrays
