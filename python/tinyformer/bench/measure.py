# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles a layer, runs it on its simulator, and compares every bit."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tinyformer.bench.layers import Layer
from tinyformer.bench.memory import chips_for
from tinyformer.compiler import Compilation, CompilerError
from tinyformer.decisions import FusionDecision, Schedule
from tinyformer.driver import clone
from tinyformer.errors import DoesNotFitError, TinyFormerError
from tinyformer.mlir import ir
from tinyformer.options import CompileOptions
from tinyformer.quantization import quantize
from tinyformer.reference import Interpreter
from tinyformer.reference.interpreter import public_function
from tinyformer.targets import Target

if TYPE_CHECKING:
    from tinyformer.firmware import FirmwareImage
    from tinyformer.simulators import RunResult, SimulatorOptions


@dataclass(frozen=True)
class Measurement:
    """One run of a layer. `peak_bytes` counts input, output and all arenas; `target` is the chip
    as it was measured, with the L1 that the layer needed."""

    target: Target
    bit_exact: bool
    run: RunResult
    image: FirmwareImage
    arena_bytes: int
    arena_lower_bound: int
    fusion: tuple[FusionDecision, ...]
    schedules: tuple[Schedule, ...]

    @property
    def peak_bytes(self) -> int:
        """Bytes of all activations: input, output, and whatever lies between."""
        return self.arena_bytes + self.image.interface.io_bytes


def measure(
    layer: Layer,
    target: Target,
    options: CompileOptions | None = None,
    *,
    memory: str | None = None,
    simulator: SimulatorOptions | None = None,
) -> Measurement:
    """The whole pipeline for one layer; outputs are compared with the reference.

    `memory` is one that everything shall lie in; see `chips_for`.
    """
    failure: TinyFormerError | None = None
    for chip in chips_for(target, memory):
        try:
            return _measure(layer, chip, options, simulator)
        except (DoesNotFitError, CompilerError) as error:
            failure = error
    assert failure is not None
    raise failure


def _measure(
    layer: Layer,
    target: Target,
    options: CompileOptions | None,
    simulator: SimulatorOptions | None,
) -> Measurement:
    from tinyformer.simulators import SimulatorOptions, simulate

    module = clone(layer.module)
    names = _output_names(module)
    compilation = Compilation(module, layer.name, layer.samples, names, target, options)
    with tempfile.TemporaryDirectory() as directory:
        image = compilation.build(Path(directory))
        inputs = [
            quantize(samples[0], described)
            for samples, described in zip(
                layer.samples.values(), image.interface.inputs, strict=True
            )
        ]
        profile = target.clock_hz is not None
        modelled = simulator or SimulatorOptions()
        run = simulate(image, target, inputs, profile=profile, options=modelled)
    assert compilation.quantized is not None
    expected = Interpreter(compilation.quantized).run(inputs)
    return Measurement(
        target=target,
        bit_exact=all(map(np.array_equal, expected, run.outputs)),
        run=run,
        image=image,
        arena_bytes=sum(arena.size for arena in compilation.arenas),
        arena_lower_bound=sum(arena.lower_bound for arena in compilation.arenas),
        fusion=compilation.fusion,
        schedules=compilation.schedules,
    )


def _output_names(module: ir.Module) -> list[str]:
    """A module has none; programs need them."""
    type_ = ir.FunctionType(ir.TypeAttr(public_function(module).attributes["function_type"]).value)
    return [f"output_{index}" for index in range(len(type_.results))]
