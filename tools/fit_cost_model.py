# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fits the coefficients of lib/CostModel/CostModel.cpp to the simulators and prints them.

Run it after a change of the kernels or of a timing model: python tools/fit_cost_model.py
"""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt
from tinyformer.bench import layers
from tinyformer.bench.layers import Layer
from tinyformer.bench.measure import measure
from tinyformer.targets import Target, get_target

LINEAR = [
    (17, 48, 48),
    (81, 64, 32),
    (8, 32, 64),
    (16, 16, 16),
    (32, 32, 128),
    (33, 20, 24),
    (9, 16, 17),
    (5, 64, 8),
    (20, 20, 2),
    (20, 20, 4),
]
ATTENTION = [(17, 48, 12, 4), (9, 16, 8, 2), (33, 16, 2, 8), (24, 32, 32, 2)]


def parts_of(layer: Layer, target: Target) -> dict[str, int]:
    """Cycles by the last words of the inner layer."""
    result = measure(layer, target)
    return {name.rsplit("_", 2)[-2]: part.cycles for name, part in result.run.layers.items()}


def fit(title: str, terms: list[list[float]], cycles: list[int]) -> None:
    """Least squares of the relative error."""
    matrix: npt.NDArray[np.float64] = np.array(terms, float)
    target = np.array(cycles, float)
    weights = 1 / target
    solution = np.linalg.lstsq(matrix * weights[:, None], target * weights, rcond=None)[0]
    error = np.abs(matrix @ solution / target - 1)
    sys.stdout.write(
        f"{title:24} {np.array2string(solution, precision=2)} "
        f"error mean {100 * error.mean():.1f} %, largest {100 * error.max():.1f} %\n"
    )


def main() -> None:
    """Print one line for each core and kind of kernel."""
    for name in ("stm32l4", "stm32h7"):
        target = get_target(name)
        cycles = [
            measure(layers.linear(*shape, seed=0), target).run.cycles or 0 for shape in LINEAR
        ]
        fit(f"{target.core} linear", [[m * n * k, m * n, 1] for m, n, k in LINEAR], cycles)
        parts = [parts_of(layers.attention(*shape, seed=0), target) for shape in ATTENTION]
        products = [[s * s * p * h, s * s * h, 1] for s, _, p, h in ATTENTION]
        contexts = [[s * s * p * h, s * p * h, 1] for s, _, p, h in ATTENTION]
        fit(
            f"{target.core} matmul",
            products + contexts,
            [part["scores"] for part in parts] + [part["context"] for part in parts],
        )
        rows = [[s * s * h, s * h] for s, _, _, h in ATTENTION]
        fit(f"{target.core} softmax", rows, [part["softmax"] for part in parts])


if __name__ == "__main__":
    main()
