# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures linear layers of odd shapes against what kernels reach on even ones.

Prints the shapes that are the farthest behind: python tools/sweep_linear.py [--random 48]
A ratio below 1 is a cliff; the exit code tells if there is one.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from tinyformer.bench import layers
from tinyformer.bench.measure import measure
from tinyformer.targets import get_target

Shape = tuple[int, int, int]

# Multiply-accumulates a cycle that many rows and channels (M = 81, N = 256) have to reach, by K.
TABLE = {
    "stm32l4": {16: 0.70, 32: 0.85, 64: 0.93, 128: 0.97, 256: 1.00},
    "stm32h7": {16: 1.15, 32: 1.45, 64: 1.65, 128: 1.75, 256: 1.80},
}
# Of that, what any shape has to reach, at the next lower K. There is none below 16.
SHARE = 0.75
SMALLEST, LARGEST = 8, 200
CORNERS: tuple[Shape, ...] = (
    *((9, 9, k) for k in (16, 17, 33, 65, 129, 200)),
    *((8, 8, k) for k in (16, 17, 33, 65, 129)),
    *((11, 11, 33), (11, 9, 129), (9, 10, 17), (10, 9, 34), (9, 11, 65)),
    *((200, 9, 17), (9, 200, 17), (15, 33, 65), (8, 200, 33), (200, 8, 33), (199, 199, 199)),
)
BELOW_THE_TABLE: tuple[Shape, ...] = ((8, 8, 8), (9, 9, 9), (9, 9, 15), (8, 200, 9), (200, 200, 12))


def shapes(count: int, seed: int) -> list[Shape]:
    """The corners, and `count` random shapes: small numbers as often as large ones."""
    random = np.random.default_rng(seed)
    exponents = random.uniform(np.log(SMALLEST), np.log(LARGEST + 1), (count, 3))
    drawn = [(int(m), int(n), int(k)) for m, n, k in np.exp(exponents)]
    return [*CORNERS, *BELOW_THE_TABLE, *drawn]


def wanted(target: str, depth: int) -> float:
    """What a shape of this depth has to reach; below the table, the aim is that of its first K."""
    table = TABLE[target]
    return SHARE * table[max((k for k in table if k <= depth), default=min(table))]


def main() -> int:
    """Measure all shapes on both cores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--random", type=int, default=48, help="random shapes beside the corners")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shown", type=int, default=8, help="shapes that are printed")
    arguments = parser.parse_args()
    cliffs = 0
    for target, table in TABLE.items():
        rows = []
        for shape in shapes(arguments.random, arguments.seed):
            result = measure(layers.linear(*shape, seed=0), get_target(target))
            if not result.bit_exact:
                raise SystemExit(f"{target} {shape} is not bit-exact")
            rate = np.prod(shape) / (result.run.cycles or 1)
            rows.append((rate / wanted(target, shape[2]), shape, rate))
        within = sorted(row for row in rows if row[1][2] >= min(table))
        below = sorted(row for row in rows if row[1][2] < min(table))
        cliffs += sum(ratio < 1 for ratio, _, _ in within)
        for title, chosen in (("", within), (f", K below {min(table)}", below)):
            sys.stdout.write(f"{target}{title}: {len(chosen)} shapes\n")
            for ratio, shape, rate in chosen[: arguments.shown]:
                m, n, k = shape
                sys.stdout.write(f"  {ratio:.3f}  {m},{n},{k}: {rate:.3f} MAC/cycle\n")
    return cliffs > 0


if __name__ == "__main__":
    sys.exit(main())
