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
from tinyformer.bench.figures import part_figures
from tinyformer.bench.layers import Layer
from tinyformer.bench.measure import measure
from tinyformer.options import CompileOptions
from tinyformer.targets import Target, get_target

LINEAR = [
    (18, 48, 48),
    (81, 64, 32),
    (8, 32, 64),
    (16, 16, 16),
    (32, 32, 128),
    (33, 20, 24),
    (9, 18, 17),
    (6, 64, 8),
    (20, 22, 2),
    (21, 10, 40),
    (2, 256, 32),
    (2, 32, 256),
    (6, 2, 64),
    (16, 6, 30),
    (9, 9, 33),
    (1, 24, 64),
    (3, 13, 20),
    (17, 11, 130),
]
ATTENTION = [
    (18, 48, 12, 4),
    (9, 16, 8, 2),
    (33, 16, 2, 8),
    (24, 32, 32, 2),
    (10, 16, 6, 3),
    (66, 16, 2, 2),
    (81, 16, 16, 1),
    (48, 16, 64, 1),
    (40, 16, 2, 4),
    (17, 8, 2, 3),
]
SUMS = [(81, 32, 32, 8), (24, 32, 32, 2), (17, 48, 12, 4), (66, 16, 2, 2)]
# Scores of this depth or less have a kernel of their own.
SHORT = 2


def parts_of(layer: Layer, target: Target, options: CompileOptions) -> dict[str, int]:
    """Cycles of each step of attention, as `bench attention` has them."""
    result = measure(layer, target, options)
    return {name: part["cycles"] for name, part in part_figures(layer, result).items()}


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


def product_terms(batch: int, rows: int, channels: int, depth: int) -> list[float]:
    """What `ProductCosts` multiplies with: instructions of steps, outputs, tiles, pairs or rows.

    A call beside all that varies with the rows could come out negative, or take what pairs cost: a
    search would prefer many small calls, or few large ones.
    """
    tiles = [4] * (channels // 4) + [channels % 4] * (channels % 4 > 0)
    steps = (depth + 1) // 2
    terms = np.zeros(4)
    for count, height in ((rows // 2, 2), (rows % 2, 1)):
        for width in tiles:
            # Loads of rows and pairs of columns, unpackings, multiplications.
            step = height + (width + 1) // 2 + width // 2 + height * width
            terms += [count * steps * step, count * height * width, count, 0]
        terms[3] += count
    return [float(term) for term in batch * terms]


def short_terms(heads: int, tokens: int) -> list[float]:
    """Tiles of four columns and pairs of rows."""
    pairs = heads * ((tokens + 1) // 2)
    return [pairs * ((tokens + 3) // 4), pairs]


def linear_terms(rows: int, channels: int, depth: int) -> list[float]:
    """Those of a product, and the elements that are packed."""
    return [*product_terms(1, rows, channels, depth), (rows + 1) // 2 * depth]


def sums_cycles(shape: tuple[int, int, int, int], target: Target) -> int:
    """Cycles of broadcast and requantisation where the output projection accumulates."""
    options = CompileOptions(fuse="never", tile="8", schedule="heads-accumulate")
    kernels = measure(layers.attention(*shape, seed=0), target, options).run.kernels
    return sum(
        cycles
        for name, cycles in kernels.items()
        if "output_bias_broadcast" in name or "output_requantize" in name
    )


def main() -> None:
    """Print one line for each core and kind of kernel."""
    for name in ("stm32l4", "stm32h7"):
        target = get_target(name)
        cycles = [
            measure(layers.linear(*shape, seed=0), target).run.cycles or 0 for shape in LINEAR
        ]
        fit(f"{target.core} linear", [linear_terms(*shape) for shape in LINEAR], cycles)
        options = CompileOptions(fuse="never")
        parts = [parts_of(layers.attention(*shape, seed=0), target, options) for shape in ATTENTION]
        long = [i for i, shape in enumerate(ATTENTION) if shape[2] > SHORT]
        scores = [product_terms(h, s, s, p) for s, _, p, h in (ATTENTION[i] for i in long)]
        contexts = [product_terms(h, s, p, s) for s, _, p, h in ATTENTION]
        fit(
            f"{target.core} matmul",
            scores + contexts,
            [parts[i]["scores"] for i in long] + [part["context"] for part in parts],
        )
        short = [i for i, shape in enumerate(ATTENTION) if shape[2] <= SHORT]
        fit(
            f"{target.core} short scores",
            [short_terms(h, s) for s, _, _, h in (ATTENTION[i] for i in short)],
            [parts[i]["scores"] for i in short],
        )
        rows = [[s * s * h, s * h] for s, _, _, h in ATTENTION]
        fit(f"{target.core} softmax", rows, [part["softmax"] for part in parts])
        fit(
            f"{target.core} sums",
            [[s * e] for s, e, _, _ in SUMS],
            [sums_cycles(shape, target) for shape in SUMS],
        )


if __name__ == "__main__":
    main()
