# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From files to a compilation, as the commands take it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyformer.calibration import load_samples
from tinyformer.compiler import Compilation
from tinyformer.options import CompileOptions
from tinyformer.targets import Target

if TYPE_CHECKING:
    from tinyformer.mlir import ir
    from tinyformer.onnx import ImportedModel


@dataclass(frozen=True)
class Model:
    """A float model and the samples that calibrate it, by input name."""

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
        )


def load(model: Path, calibration: Path) -> Model:
    """Read an ONNX file and the samples for its calibration."""
    from tinyformer import onnx

    imported = onnx.load(model)
    return Model(imported, load_samples(str(calibration), [name for name, _ in imported.inputs]))


def clone(module: ir.Module) -> ir.Module:
    """A copy in a context of its own."""
    from tinyformer.mlir import ir

    text = str(module.operation.get_asm(enable_debug_info=True))
    with ir.Context():
        return ir.Module.parse(text)
