# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cycles an element of whole layers on Cortex-M, by the timing models; bits as the reference."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tinyformer.bench import layers
from tinyformer.bench.flash import measure_flash
from tinyformer.bench.layers import Layer
from tinyformer.bench.measure import measure
from tinyformer.cli.app import app
from tinyformer.options import OptionError
from tinyformer.report.flash import flash_svg
from tinyformer.targets import get_target
from typer.testing import CliRunner

LAYERS = [
    (layers.add, (66, 64), {"stm32l4": 6.0, "stm32h7": 6.0}),
    (layers.add, (17, 48), {"stm32l4": 6.0, "stm32h7": 6.0}),
    (layers.softmax, (66, 66), {"stm32l4": 9.0, "stm32h7": 6.5}),
    (layers.softmax, (81, 81), {"stm32l4": 9.0, "stm32h7": 6.5}),
    (layers.softmax, (197, 197), {"stm32l4": 9.0, "stm32h7": 6.5}),
    (layers.lookup, (66, 64), {"stm32l4": 3.3, "stm32h7": 3.0}),
    (layers.layernorm, (66, 48), {"stm32l4": 16.0, "stm32h7": 14.0}),
    (layers.layernorm, (66, 64), {"stm32l4": 14.0, "stm32h7": 14.0}),
    (layers.layernorm, (66, 128), {"stm32l4": 14.0, "stm32h7": 14.0}),
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


def test_unrolling_trades_flash_for_cycles(tmp_path: Path) -> None:
    points = list(measure_flash([get_target("stm32l4")], [(9, 16, 16, 2)], [1, 4, 32]))
    for fused in (False, True):
        mine = [point for point in points if point.fused == fused]
        assert [point.unroll for point in mine] == [1, 4, 32]
        assert mine[0].flash_bytes < mine[1].flash_bytes
        assert mine[0].cycles > mine[1].cycles > mine[2].cycles
    picture = ElementTree.fromstring(flash_svg(points))
    titles = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == len(points)
    assert titles[0] == (
        f"9/16/16/2, unroll 1: {points[0].flash_bytes:,} bytes, {points[0].cycles:,} cycles"
    )


def test_the_flash_command(tmp_path: Path) -> None:
    output = tmp_path / "flash.svg"
    arguments = ["--target", "stm32h7", "--shape", "3,8,4,2", "--unroll", "2", "-o", str(output)]
    result = CliRunner().invoke(app, ["bench", "flash", *arguments, "--json"])
    assert result.exit_code == 0
    points = json.loads(result.stdout)
    assert [point["fused"] for point in points] == [False, True]
    assert output.read_text(encoding="utf-8").startswith("<svg xmlns=")


def test_flash_of_a_target_without_kernels() -> None:
    result = CliRunner().invoke(app, ["bench", "flash", "--target", "host"])
    assert isinstance(result.exception, OptionError)
    assert "has no kernels that unroll" in str(result.exception)
