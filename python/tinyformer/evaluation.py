# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A model in three forms side by side: float, integer reference, and on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinyformer.calibration import check_samples
from tinyformer.compiler import Compilation
from tinyformer.progress import Progress, no_progress
from tinyformer.quantization import dequantize, quantize, signal_to_noise_db
from tinyformer.reference import Interpreter
from tinyformer.reference.interpreter import public_function
from tinyformer.samples import check_labels, load_labels, load_samples

if TYPE_CHECKING:
    from tinyformer.driver import Model
    from tinyformer.firmware import FirmwareImage
    from tinyformer.mlir import ir
    from tinyformer.simulators import RunResult, Session, SimulatorOptions

Array = npt.NDArray[Any]
DataSet = tuple[dict[str, Array], Array | None]
"""Samples by input name, and their labels, if there are any."""


@dataclass(frozen=True)
class Unfused:
    """The integer network with plain weights, beside the one with fused ones.

    `snr_db` compares its dequantised outputs with the float ones, `fusion_snr_db` compares those
    of the fused network with them: the error that fusion adds. Infinite if there is none.
    """

    accuracy: float | None
    snr_db: float
    fusion_snr_db: float


@dataclass(frozen=True)
class Evaluation:
    """What one target does with a set of samples.

    Accuracies are shares of samples whose largest output is at the label, absent without
    labels. `bit_exact` counts samples whose device outputs equal the reference's.
    `snr_db` compares the dequantised reference outputs with the float ones; it and the float
    accuracy are absent if the model computes on integers. `unfused` is there if a layer's weights
    were fused.
    """

    samples: int
    bit_exact: int
    float_accuracy: float | None
    reference_accuracy: float | None
    device_accuracy: float | None
    snr_db: float | None
    unfused: Unfused | None
    profile: RunResult
    image: FirmwareImage


def evaluate(
    float_module: ir.Module,
    compilation: Compilation,
    samples: Mapping[str, Array],
    labels: Array | None,
    directory: Path,
    progress: Progress = no_progress,
    *,
    plain: Compilation | None = None,
    simulator: SimulatorOptions | None = None,
) -> Evaluation:
    """Compile to the end, run every sample in all three forms, and compare.

    `plain` is a compilation of the same without fused weights, to compare with.
    """
    from tinyformer.simulators import SimulatorOptions, open_session

    image = compilation.build(directory)
    assert compilation.quantized is not None
    check_samples(samples, public_function(compilation.quantized))
    count = len(next(iter(samples.values())))
    if labels is not None:
        check_labels(labels, count, prod(compilation.output_tensors[0].shape))
    forms = _Forms(
        None if compilation.is_integer else Interpreter(float_module),
        _Reference(compilation),
        None if plain is None else _Reference(plain),
        open_session(image, compilation.target, options=simulator or SimulatorOptions()),
    )
    runs = []
    for index in range(count):
        reals = [array[index].astype(np.float32) for array in samples.values()]
        runs.append(forms.run(reals, profile=index == 0))
        progress(index + 1, count)
    return _summary(runs, labels, image)


def load_data(path: Path, model: Model, limit: int | None = None) -> DataSet:
    """The first `limit` samples of a file by input name, and their `labels`, if it has them."""
    names = [name for name, _ in model.imported.inputs]
    samples = {name: array[:limit] for name, array in load_samples(str(path), names).items()}
    return model.reals(samples), load_labels(str(path), limit)


class _Reference:
    """An integer network as a function of real numbers."""

    def __init__(self, compilation: Compilation) -> None:
        compilation.run_to("quantize")
        assert compilation.quantized is not None
        self._interpreter = Interpreter(compilation.quantized)
        self._inputs, self._outputs = compilation.input_tensors, compilation.output_tensors

    def integers(self, reals: Sequence[Array]) -> list[Array]:
        """The inputs of the device."""
        return [quantize(value, tensor) for value, tensor in zip(reals, self._inputs, strict=True)]

    def run(self, integers: Sequence[Array]) -> list[Array]:
        """All outputs, in integers."""
        return self._interpreter.run(integers)

    def first(self, outputs: Sequence[Array]) -> Array:
        """The first output in real numbers."""
        return dequantize(outputs[0], self._outputs[0])


@dataclass(frozen=True)
class _Run:
    """The first output of one sample in each form, in real numbers."""

    real: Array | None
    reference: Array
    device: Array
    plain: Array | None
    exact: bool
    profile: RunResult


@dataclass(frozen=True)
class _Forms:
    """A network in float, in integers, in integers without fused weights, and on the device."""

    real: Interpreter | None
    reference: _Reference
    plain: _Reference | None
    session: Session

    def run(self, reals: list[Array], *, profile: bool) -> _Run:
        """One sample in all forms."""
        integers = self.reference.integers(reals)
        expected = self.reference.run(integers)
        result = self.session.run(integers, profile=profile)
        plain = None
        if self.plain is not None:
            plain = self.plain.first(self.plain.run(self.plain.integers(reals)))
        return _Run(
            real=self.real.run(reals)[0] if self.real else None,
            reference=self.reference.first(expected),
            device=self.reference.first(result.outputs),
            plain=plain,
            exact=all(map(np.array_equal, expected, result.outputs)),
            profile=result,
        )


def _summary(runs: Sequence[_Run], labels: Array | None, image: FirmwareImage) -> Evaluation:
    references = [run.reference for run in runs]
    floats = [run.real for run in runs if run.real is not None]
    plains = [run.plain for run in runs if run.plain is not None]
    return Evaluation(
        samples=len(runs),
        bit_exact=sum(run.exact for run in runs),
        float_accuracy=_accuracy(floats, labels) if floats else None,
        reference_accuracy=_accuracy(references, labels),
        device_accuracy=_accuracy([run.device for run in runs], labels),
        snr_db=signal_to_noise_db(np.stack(floats), np.stack(references)) if floats else None,
        unfused=_compare(floats, references, plains, labels) if plains else None,
        profile=runs[0].profile,
        image=image,
    )


def _compare(
    floats: list[Array], fused: list[Array], plains: list[Array], labels: Array | None
) -> Unfused:
    plain = np.stack(plains)
    return Unfused(
        accuracy=_accuracy(plains, labels),
        snr_db=signal_to_noise_db(np.stack(floats), plain),
        fusion_snr_db=signal_to_noise_db(plain, np.stack(fused)),
    )


def _accuracy(outputs: list[Array], labels: Array | None) -> float | None:
    if labels is None:
        return None
    decisions = np.array([output.argmax() for output in outputs])
    return float(np.mean(decisions == np.asarray(labels).ravel()))
