# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cycles an element of whole layers on Cortex-M, by the timing models, with the reference's bits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tinyformer.bench import layers
from tinyformer.bench.layers import Layer
from tinyformer.bench.measure import measure
from tinyformer.targets import get_target

LAYERS = [
    (layers.add, (66, 64), {"stm32l4": 6.0, "stm32h7": 6.0}),
    (layers.add, (17, 48), {"stm32l4": 6.0, "stm32h7": 6.0}),
]


@pytest.mark.parametrize("target", ["stm32l4", "stm32h7"])
@pytest.mark.parametrize(("make", "shape", "most"), LAYERS)
def test_cycles_an_element(
    make: Callable[[int, int, int], Layer],
    shape: tuple[int, int],
    most: dict[str, float],
    target: str,
) -> None:
    layer = make(*shape, 0)
    measured = measure(layer, get_target(target))
    assert measured.bit_exact
    assert measured.run.cycles is not None
    assert measured.run.cycles / layer.work.elements <= most[target]
