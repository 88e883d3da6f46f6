# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From files to a compilation, as the commands take it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyformer.compiler import Compilation
from tinyformer.errors import CalibrationError
from tinyformer.options import CompileOptions
from tinyformer.samples import load_samples
from tinyformer.targets import Target

if TYPE_CHECKING:
    from tinyformer.mlir import ir
    from tinyformer.onnx import ImportedModel


@dataclass(frozen=True)
class Model:
    """A model and the samples that calibrate it, by input name; none if it arrived quantised."""

    imported: ImportedModel
    samples: dict[str, Any]

    def start(self, target: Target, options: CompileOptions | None = None) -> Compilation:
        """A compilation of a copy; the model itself stays as it is."""
        return Compilation(
            clone(self.imported.module),
            self.imported.name,
            self.samples,
            [name for name, _ in self.imported.outputs],
            target,
            options,
            input_names=[name for name, _ in self.imported.inputs],
        )


def load(model: Path, calibration: Path | None) -> Model:
    """Read an ONNX file and the samples for its calibration.

    A model whose ranges are all known, because it arrived quantised, needs none.
    """
    from tinyformer import onnx

    imported = onnx.load(model, calibrated=calibration is not None)
    if calibration is None:
        return without_samples(imported, model)
    return Model(imported, load_samples(str(calibration), [name for name, _ in imported.inputs]))


def without_samples(imported: ImportedModel, path: Path) -> Model:
    """A model that arrived quantised; raises CalibrationError if it did not."""
    if not imported.quantized:
        raise CalibrationError(
            f"{path}: is a model of floats, which says no ranges: give samples that are like "
            "those of use, --calibration FILE"
        )
    return Model(imported, {})


def clone(module: ir.Module) -> ir.Module:
    """A copy in a context of its own."""
    from tinyformer.mlir import ir

    text = str(module.operation.get_asm(enable_debug_info=True))
    with ir.Context():
        return ir.Module.parse(text)
