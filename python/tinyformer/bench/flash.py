# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Flash against cycles: attention layers, compiled with more or less code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyformer.bench import layers
from tinyformer.bench.measure import measure
from tinyformer.options import CompileOptions
from tinyformer.targets import Target

Shape = tuple[int, int, int, int]

SHAPES: tuple[Shape, ...] = (
    (81, 32, 32, 8),
    (66, 16, 2, 8),
    (4, 32, 32, 8),
    (32, 64, 64, 16),
    (17, 64, 16, 4),
)
"""Tokens, width, head width and heads of the layers that the speed of kernels is told by."""

UNROLLS = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True)
class FlashPoint:
    """What one way to compile a layer takes; `flash_bytes` are its weights and its code."""

    target: str
    core: str
    shape: Shape
    fused: bool
    unroll: int
    flash_bytes: int
    cycles: int


def measure_flash(
    targets: Sequence[Target], shapes: Sequence[Shape], unrolls: Sequence[int]
) -> Iterator[FlashPoint]:
    """One point for each target, shape, fused or not, and unrolling, as they are measured.

    Every run is compared with the reference: RuntimeError where a bit differs.
    """
    for target in targets:
        for shape in shapes:
            for fused in (False, True):
                for unroll in unrolls:
                    yield _measure(target, shape, fused, unroll)


def _measure(target: Target, shape: Shape, fused: bool, unroll: int) -> FlashPoint:
    options = CompileOptions(fuse="always" if fused else "never", unroll=unroll)
    measured = measure(layers.attention(*shape, seed=0), target, options)
    if not measured.bit_exact:
        raise RuntimeError(f"{shape} on {target.name}, unroll {unroll}: other bits")
    assert measured.run.cycles is not None
    code = sum(measured.run.kernel_bytes.values())
    return FlashPoint(
        target.name,
        target.core,
        shape,
        fused,
        unroll,
        measured.image.weight_bytes + code,
        measured.run.cycles,
    )
