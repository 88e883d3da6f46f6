# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Flash against cycles as a picture that needs no page: its style is within, light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from tinyformer.bench.flash import FlashPoint, Shape
from tinyformer.report import svg
from tinyformer.report.axes import (
    LogScale,
    byte_ticks,
    decimal_ticks,
    log_scale,
    short,
    short_bytes,
)

_WIDTH, _PANEL = 960.0, 420.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 12.0, 58.0, 44.0

_STYLE = """
svg { background: #fff; }
text { fill: #5b636d; font: 11px system-ui, sans-serif; }
.middle { text-anchor: middle; } .end { text-anchor: end; }
.strong { fill: #1c1f23; font-weight: 600; }
.grid { stroke: #dfe2e6; }
path { fill: none; stroke-width: 1.2; } .fused { stroke-dasharray: 4 3; }
circle { stroke-width: 1.5; } .hollow { fill: #fff; }
.c0 { stroke: #2563c9; } .c1 { stroke: #0e8a7d; } .c2 { stroke: #b4630a; }
.c3 { stroke: #8b3fc0; } .c4 { stroke: #c02f6f; } .c5 { stroke: #6b7280; }
.f0 { fill: #2563c9; } .f1 { fill: #0e8a7d; } .f2 { fill: #b4630a; }
.f3 { fill: #8b3fc0; } .f4 { fill: #c02f6f; } .f5 { fill: #6b7280; }
@media (prefers-color-scheme: dark) {
  svg { background: #14171a; }
  text { fill: #a3abb5; } .strong { fill: #e8eaed; } .grid { stroke: #353b42; }
  .hollow { fill: #14171a; }
  .c0 { stroke: #6ea8fe; } .c1 { stroke: #4fd1c0; } .c2 { stroke: #f2a65a; }
  .c3 { stroke: #c792ea; } .c4 { stroke: #f48fb8; } .c5 { stroke: #a1a8b3; }
  .f0 { fill: #6ea8fe; } .f1 { fill: #4fd1c0; } .f2 { fill: #f2a65a; }
  .f3 { fill: #c792ea; } .f4 { fill: #f48fb8; } .f5 { fill: #a1a8b3; }
}
"""
_COLOURS = 6


def flash_svg(points: Sequence[FlashPoint]) -> str:
    """A panel for each target, a line for each layer, fused or not, a dot for each unrolling."""
    targets = list(dict.fromkeys(point.target for point in points))
    shapes = list(dict.fromkeys(point.shape for point in points))
    width = _WIDTH / len(targets)
    x_values = [float(point.flash_bytes) for point in points]
    y_values = [float(point.cycles) for point in points]
    panels = []
    for number, target in enumerate(targets):
        left = number * width
        x = log_scale(x_values, left + _LEFT, left + width - _RIGHT)
        y = log_scale(y_values, _PANEL - _BOTTOM, _TOP)
        mine = [point for point in points if point.target == target]
        panels += [*_axes(x, y, f"{target} ({mine[0].core})"), *_lines(mine, shapes, x, y)]
    picture = svg.drawing(
        _WIDTH,
        _PANEL,
        "Bytes of flash against cycles of attention layers",
        svg.element("style", _STYLE),
        *_legend(shapes, points),
        *panels,
        class_="plot",
    )
    return picture.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1) + "\n"


def _legend(shapes: Sequence[Shape], points: Sequence[FlashPoint]) -> list[str]:
    parts = []
    for number, shape in enumerate(shapes):
        place, colour = _LEFT + 120 * number, number % _COLOURS
        parts.append(svg.element("circle", cx=place, cy=14, r=4, class_=f"c{colour} f{colour}"))
        parts.append(svg.text(place + 8, 18, "/".join(map(str, shape)), class_="strong"))
    unrolls = sorted({point.unroll for point in points})
    words = (
        f"tokens/width/head width/heads; from the left {', '.join(map(str, unrolls))} steps "
        "unrolled; hollow and dashed: fused weights"
    )
    parts.append(svg.text(_LEFT - 4, 34, words))
    return parts


def _axes(x: LogScale, y: LogScale, name: str) -> list[str]:
    parts = [svg.text((x.start + x.end) / 2, _TOP - 8, name, class_="middle strong")]
    for tick in byte_ticks(x, 6):
        parts.append(svg.line(x(tick), y.start, x(tick), y.end, "grid"))
        parts.append(svg.text(x(tick), y.start + 16, short_bytes(tick), class_="middle"))
    for tick in decimal_ticks(y, 8):
        parts.append(svg.line(x.start, y(tick), x.end, y(tick), "grid"))
        parts.append(svg.text(x.start - 6, y(tick) + 4, short(tick), class_="end"))
    middle = (x.start + x.end) / 2
    parts.append(svg.text(middle, _PANEL - 8, "flash: weights and code", class_="middle"))
    parts.append(svg.text(x.start - 50, _TOP - 8, "cycles"))
    return parts


def _lines(
    points: Sequence[FlashPoint], shapes: Sequence[Shape], x: LogScale, y: LogScale
) -> list[str]:
    parts = []
    for (shape, fused), line in groupby(points, key=lambda point: (point.shape, point.fused)):
        colour = shapes.index(shape) % _COLOURS
        places = [(x(p.flash_bytes), y(p.cycles), _describe(p)) for p in line]
        path = "M" + "L".join(f"{across:.1f} {up:.1f}" for across, up, _ in places)
        parts.append(svg.element("path", d=path, class_=f"c{colour}{' fused' if fused else ''}"))
        inside = "hollow" if fused else f"f{colour}"
        for across, up, hint in places:
            dot = svg.element(
                "circle", svg.title(hint), cx=across, cy=up, r=3, class_=f"c{colour} {inside}"
            )
            parts.append(dot)
    return parts


def _describe(point: FlashPoint) -> str:
    shape = "/".join(map(str, point.shape))
    return (
        f"{shape}{', fused' if point.fused else ''}, unroll {point.unroll}: "
        f"{point.flash_bytes:,} bytes, {point.cycles:,} cycles"
    )
