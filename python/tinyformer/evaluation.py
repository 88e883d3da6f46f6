# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A model in three forms side by side: float, integer reference, and on the device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinyformer.calibration import check_samples
from tinyformer.compiler import Compilation
from tinyformer.errors import CalibrationError
from tinyformer.progress import Progress, no_progress
from tinyformer.quantization import dequantize, quantize, signal_to_noise_db
from tinyformer.reference import Interpreter
from tinyformer.samples import load_labels, load_samples

if TYPE_CHECKING:
    from tinyformer.driver import Model
    from tinyformer.firmware import FirmwareImage
    from tinyformer.mlir import ir
    from tinyformer.simulators import RunResult, SimulatorOptions

Array = npt.NDArray[Any]


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
    real = None if compilation.is_integer else Interpreter(float_module)
    reference = Interpreter(compilation.quantized)
    check_samples(samples, reference.function)
    count = len(next(iter(samples.values())))
    if labels is not None and len(labels) != count:
        raise CalibrationError(f"there are {count} samples but {len(labels)} labels")
    session = open_session(image, compilation.target, options=simulator or SimulatorOptions())
    output = image.interface.outputs[0]
    plain_reference = _Reference(plain) if plain else None
    floats, references, devices, plains, exact = [], [], [], [], 0
    profile: RunResult | None = None
    for index in range(count):
        reals = [array[index].astype(np.float32) for array in samples.values()]
        integers = [
            quantize(value, tensor)
            for value, tensor in zip(reals, image.interface.inputs, strict=True)
        ]
        expected = reference.run(integers)
        result = session.run(integers, profile=index == 0)
        profile = profile or result
        exact += all(np.array_equal(a, b) for a, b in zip(expected, result.outputs, strict=True))
        if real:
            floats.append(real.run(reals)[0])
        references.append(dequantize(expected[0], output))
        devices.append(dequantize(result.outputs[0], output))
        if plain_reference:
            plains.append(plain_reference.run(reals))
        progress(index + 1, count)
    assert profile is not None
    return Evaluation(
        samples=count,
        bit_exact=exact,
        float_accuracy=_accuracy(floats, labels) if real else None,
        reference_accuracy=_accuracy(references, labels),
        device_accuracy=_accuracy(devices, labels),
        snr_db=signal_to_noise_db(np.stack(floats), np.stack(references)) if real else None,
        unfused=_compare(floats, references, plains, labels) if plains else None,
        profile=profile,
        image=image,
    )


def load_data(
    path: Path, model: Model, limit: int | None = None
) -> tuple[dict[str, Array], Array | None]:
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

    def run(self, reals: list[Array]) -> Array:
        """The first output."""
        pairs = zip(reals, self._inputs, strict=True)
        results = self._interpreter.run([quantize(value, tensor) for value, tensor in pairs])
        return dequantize(results[0], self._outputs[0])


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
