# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`tinyformer bench flash`: what code buys."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tinyformer.cli.console import JsonOption, console, print_json, progress_bar
from tinyformer.files import write_text
from tinyformer.options import OptionError


def flash_command(
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="TARGET", help="Of Cortex-M; may be given several times."),
    ] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option(metavar="S,E,P,H", help="Of a layer; may be given several times."),
    ] = None,
    unroll: Annotated[
        str, typer.Option(metavar="STEPS,...", help="Steps that kernels unroll.")
    ] = "1,2,4,8,16,32",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Draw it as SVG.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Benchmark flash against cycles: attention layers with more or less code, fused or not."""
    from tinyformer.bench.flash import SHAPES, FlashPoint, Shape, measure_flash
    from tinyformer.cli.bench import parse_numbers
    from tinyformer.report.flash import flash_svg
    from tinyformer.targets import get_target

    def parse_shape(text: str) -> Shape:
        tokens, width, head_width, heads = parse_numbers("--shape", text, "S,E,P,H")
        return tokens, width, head_width, heads

    targets = [get_target(name) for name in target or ("stm32l4", "stm32h7")]
    for chip in targets:
        if chip.isa != "armv7e-m":
            raise OptionError(f"target '{chip.name}' has no kernels that unroll")
    shapes = [parse_shape(text) for text in shape or ()] or list(SHAPES)
    unrolls = parse_numbers("--unroll", unroll, unroll)
    points: list[FlashPoint] = []
    total = 2 * len(targets) * len(shapes) * len(unrolls)
    with progress_bar("measuring", quiet=as_json) as progress:
        for point in measure_flash(targets, shapes, unrolls):
            points.append(point)
            progress(len(points), total)
    if output is not None:
        write_text(output, flash_svg(points))
    if as_json:
        print_json([asdict(point) for point in points])
        return
    for point in points:
        name = "/".join(map(str, point.shape))
        console.print(
            f"{point.target} {name:<12} {'fused' if point.fused else '     '} "
            f"unroll {point.unroll:>3}: {point.flash_bytes:>9,} bytes {point.cycles:>12,} cycles"
        )
