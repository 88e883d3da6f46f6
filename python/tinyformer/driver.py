# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From files to a compilation, as the commands take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyformer.compiler import Compilation
from tinyformer.errors import CalibrationError
from tinyformer.inputs import IntegerInput, integer_inputs
from tinyformer.options import CompileOptions
from tinyformer.reference.interpreter import public_function
from tinyformer.samples import load_samples
from tinyformer.targets import Target

if TYPE_CHECKING:
    from tinyformer.mlir import ir
    from tinyformer.onnx import ImportedModel


@dataclass(frozen=True)
class Model:
    """A model and the samples that calibrate it, by input name; none if it arrived quantised.

    `samples` are real numbers, or ids; `integers` are the inputs that the model itself takes as
    integers of 8 bits.
    """

    imported: ImportedModel
    samples: dict[str, Any]
    integers: Mapping[str, IntegerInput] = field(default_factory=dict)

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
            given={name: entry.element for name, entry in self.integers.items()},
        )

    def reals(self, samples: Mapping[str, Any]) -> dict[str, Any]:
        """Samples as real numbers, where they are integers of the model."""
        return {
            name: self.integers[name].reals(array, name) if name in self.integers else array
            for name, array in samples.items()
        }


def load(model: Path, calibration: Path | None) -> Model:
    """Read an ONNX file and the samples for its calibration.

    A model whose ranges are all known, because it arrived quantised, needs none.
    """
    from tinyformer import onnx

    imported = onnx.load(model, calibrated=calibration is not None)
    samples = None
    if calibration is not None:
        samples = load_samples(str(calibration), [name for name, _ in imported.inputs])
    return with_samples(imported, model, samples)


def with_samples(imported: ImportedModel, path: Path, samples: dict[str, Any] | None) -> Model:
    """The model imported from `path`, with samples by input name in the order of the inputs.

    Raises CalibrationError if there are none, and the model did not arrive quantised.
    """
    if samples is None and not imported.quantized:
        raise CalibrationError(
            f"{path}: is a model of floats, which says no ranges: give samples that are like "
            "those of use, --calibration FILE"
        )
    model = Model(imported, {}, integer_inputs(path, public_function(imported.module)))
    return replace(model, samples=model.reals(samples or {}))


def clone(module: ir.Module) -> ir.Module:
    """A copy in a context of its own."""
    from tinyformer.mlir import ir

    text = str(module.operation.get_asm(enable_debug_info=True))
    with ir.Context():
        return ir.Module.parse(text)
