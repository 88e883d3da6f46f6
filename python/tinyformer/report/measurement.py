# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the report of a compilation shows, as data: one run, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinyformer.noise import LayerNoise, noise_by_layer
from tinyformer.profile import Profile, profile_of
from tinyformer.report.explanation import Explanation, explain
from tinyformer.report.kernels import KernelUse, kernel_uses
from tinyformer.report.roofline import Machine, machine_of
from tinyformer.work import Constant, constants

if TYPE_CHECKING:
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
    """A compiled network, run once on its first calibration sample.

    `profile` and `machine` are None on a target without a timing model; `evaluation` is None where
    nobody asked for it.
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
    output_db: float
    bit_exact: bool
    evaluation: Evaluation | None


def measure(
    compilation: Compilation, image: FirmwareImage, evaluation: Evaluation | None = None
) -> Measurement:
    """Runs the program of a compilation with the option `explain`."""
    import numpy as np

    from tinyformer.quantization import dequantize, quantize, signal_to_noise_db
    from tinyformer.reference import Interpreter
    from tinyformer.simulators import simulate

    assert compilation.calibrated is not None and compilation.quantized is not None
    target, tensors = compilation.target, image.interface.inputs
    reals = [array[0].astype(np.float32) for array in compilation.samples.values()]
    integers = [quantize(x, tensor) for x, tensor in zip(reals, tensors, strict=True)]
    run = simulate(image, target, integers, profile=target.clock_hz is not None)
    profile = None if run.cycles is None else profile_of(compilation, run)
    expected = Interpreter(compilation.quantized).run(integers)
    real = Interpreter(compilation.calibrated).run(reals)
    return Measurement(
        target=target,
        explanation=explain(compilation),
        profile=profile,
        machine=machine_of(target),
        memories=memory_uses(image, target),
        weights=tuple(constants(compilation.quantized)),
        noise=tuple(
            noise_by_layer(
                compilation.calibrated, compilation.quantized, compilation.samples, tensors
            )
        ),
        kernels=kernel_uses(profile, target) if profile else (),
        code_bytes=image.code_bytes,
        weight_bytes=image.weight_bytes,
        arena_bytes=sum(image.interface.arenas.values()),
        output_db=signal_to_noise_db(real[0], dequantize(expected[0], image.interface.outputs[0])),
        bit_exact=all(map(np.array_equal, expected, run.outputs)),
        evaluation=evaluation,
    )


def memory_uses(image: FirmwareImage, target: Target) -> tuple[MemoryUse, ...]:
    """All memories in which something lies."""
    uses = [
        MemoryUse(name, used, target.memory(name).size) for name, used in image.ram_bytes.items()
    ]
    if target.code_memory is not None and target.code_memory not in image.ram_bytes:
        flash = target.memory(target.code_memory)
        uses.insert(0, MemoryUse(flash.name, image.flash_bytes, flash.size))
    return tuple(use for use in uses if use.used)
