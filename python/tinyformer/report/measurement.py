# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the report of a compilation shows, as data: one run, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tinyformer.noise import LayerNoise, noise_by_layer
from tinyformer.profile import Profile, first_inputs, profile_of
from tinyformer.report.explanation import Explanation, explain
from tinyformer.report.kernels import KernelUse, kernel_uses
from tinyformer.report.roofline import Machine, machine_of
from tinyformer.work import Constant, constants

if TYPE_CHECKING:
    import numpy.typing as npt

    from tinyformer.compiler import Compilation
    from tinyformer.evaluation import Evaluation
    from tinyformer.firmware import FirmwareImage
    from tinyformer.targets import Target


@dataclass(frozen=True)
class MemoryUse:
    """What of a memory is taken."""

    name: str
    used: int
    size: int

    @property
    def share(self) -> float:
        """1 is full."""
        return self.used / self.size


@dataclass(frozen=True)
class Measurement:
    """A compiled network, run once on its first calibration sample, or on random integers.

    `profile` and `machine` are None on a target without a timing model; `evaluation` is None where
    nobody asked for it. `output_db` is None, and `noise` empty, where there are no samples, or no
    real numbers to compare with since the model computes on integers.
    """

    target: Target
    explanation: Explanation
    profile: Profile | None
    machine: Machine | None
    memories: tuple[MemoryUse, ...]
    weights: tuple[Constant, ...]
    noise: tuple[LayerNoise, ...]
    kernels: tuple[KernelUse, ...]
    code_bytes: int
    weight_bytes: int
    arena_bytes: int
    output_db: float | None
    bit_exact: bool
    evaluation: Evaluation | None


def measure(
    compilation: Compilation, image: FirmwareImage, evaluation: Evaluation | None = None
) -> Measurement:
    """Runs the program of a compilation with the option `explain`."""
    import numpy as np

    from tinyformer.reference import Interpreter
    from tinyformer.simulators import simulate

    assert compilation.quantized is not None
    target = compilation.target
    integers = first_inputs(compilation)
    run = simulate(image, target, integers, profile=target.clock_hz is not None)
    profile = None if run.cycles is None else profile_of(compilation, run)
    expected = Interpreter(compilation.quantized).run(integers)
    return Measurement(
        target=target,
        explanation=explain(compilation),
        profile=profile,
        machine=machine_of(target),
        memories=memory_uses(image, target),
        weights=tuple(constants(compilation.quantized)),
        noise=_noise(compilation, image),
        kernels=kernel_uses(profile, target) if profile else (),
        code_bytes=image.code_bytes,
        weight_bytes=image.weight_bytes,
        arena_bytes=sum(image.interface.arenas.values()),
        output_db=_output_db(compilation, image, expected[0]),
        bit_exact=all(map(np.array_equal, expected, run.outputs)),
        evaluation=evaluation,
    )


def _has_reals(compilation: Compilation) -> bool:
    return bool(compilation.samples) and not compilation.is_integer


def _noise(compilation: Compilation, image: FirmwareImage) -> tuple[LayerNoise, ...]:
    """Signal to noise of all layers, if there are real numbers to compare with."""
    if not _has_reals(compilation):
        return ()
    assert compilation.calibrated is not None and compilation.quantized is not None
    tensors = image.interface.inputs
    return tuple(
        noise_by_layer(compilation.calibrated, compilation.quantized, compilation.samples, tensors)
    )


def _output_db(
    compilation: Compilation, image: FirmwareImage, result: npt.NDArray[Any]
) -> float | None:
    """Signal to noise of the first output for the first sample."""
    import numpy as np

    from tinyformer.quantization import dequantize, signal_to_noise_db
    from tinyformer.reference import Interpreter

    if not _has_reals(compilation):
        return None
    assert compilation.calibrated is not None
    reals = [array[0].astype(np.float32) for array in compilation.samples.values()]
    real = Interpreter(compilation.calibrated).run(reals)
    return signal_to_noise_db(real[0], dequantize(result, image.interface.outputs[0]))


def memory_uses(image: FirmwareImage, target: Target) -> tuple[MemoryUse, ...]:
    """All memories in which something lies."""
    uses = [
        MemoryUse(name, used, target.memory(name).size) for name, used in image.ram_bytes.items()
    ]
    if target.code_memory is not None and target.code_memory not in image.ram_bytes:
        flash = target.memory(target.code_memory)
        uses.insert(0, MemoryUse(flash.name, image.flash_bytes, flash.size))
    return tuple(use for use in uses if use.used)
