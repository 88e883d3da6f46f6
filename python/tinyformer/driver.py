# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The whole way from a model file to firmware, as the commands take it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tinyformer import calibration
from tinyformer.compiler import Compilation
from tinyformer.defaults import DEFAULT_PERCENTILE
from tinyformer.progress import Progress, no_progress
from tinyformer.targets import Target

if TYPE_CHECKING:
    from tinyformer.mlir import ir
    from tinyformer.onnx import ImportedModel


def load_calibrated(
    model: Path,
    samples: Path,
    percentile: float = DEFAULT_PERCENTILE,
    progress: Progress = no_progress,
) -> ImportedModel:
    """Import an ONNX file and annotate it with ranges from the samples in a file."""
    from tinyformer import onnx

    imported = onnx.load(model)
    names = [name for name, _ in imported.inputs]
    calibration.calibrate(
        imported.module,
        calibration.load_samples(str(samples), names),
        names,
        percentile=percentile,
        progress=progress,
    )
    return imported


def start_compilation(imported: ImportedModel, target: Target) -> Compilation:
    """A compilation of an imported and calibrated model; the model itself stays as it is."""
    return Compilation(
        clone(imported.module),
        imported.name,
        [name for name, _ in imported.inputs],
        [name for name, _ in imported.outputs],
        target,
    )


def clone(module: ir.Module) -> ir.Module:
    """A copy in a context of its own."""
    from tinyformer.mlir import ir

    text = str(module.operation.get_asm(enable_debug_info=True))
    with ir.Context():
        return ir.Module.parse(text)
