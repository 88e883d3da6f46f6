# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Peak bytes against estimated cycles: the schedules of a layer, their front, and the choice."""

from __future__ import annotations

from tinyformer.report import svg
from tinyformer.report.axes import (
    LogScale,
    byte_ticks,
    decimal_ticks,
    log_scale,
    short,
    short_bytes,
)
from tinyformer.report.explanation import Candidate, LayerSchedules

KINDS = (
    "none",
    "heads-context",
    "heads-accumulate",
    "rows-all",
    "rows-context",
    "rows-accumulate",
    "halves-accumulate",
    "quarters-accumulate",
)
"""In this order kinds have the colours k0, k1, ... of the style sheet."""

_HEIGHT = 340.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 14.0, 22.0, 44.0
_CHARACTER = 6.6


def pareto_svg(layer: LayerSchedules, width: float) -> str:
    """The plot, `width` units wide; its texts have the size of 11 units."""
    x, y = _scales(layer, (_LEFT, width - _RIGHT), (_HEIGHT - _BOTTOM, _TOP))
    chosen = layer.chosen
    return svg.drawing(
        width,
        _HEIGHT,
        f"{len(layer.candidates)} schedules, peak bytes against estimated cycles; chosen: "
        f"{_describe(chosen)}",
        *_axes(x, y, width),
        *_capacity(layer, x),
        *(_dot(c, x, y) for c in layer.candidates if not c.on_front and not c.chosen),
        _staircase(layer.front, x, y),
        *(_dot(c, x, y) for c in layer.front if not c.chosen),
        _choice(chosen, x, y, width),
        class_="plot",
    )


def pareto_text(layer: LayerSchedules, width: int, height: int) -> list[str]:
    """The plot in characters: `.` for a schedule, `o` on the front, `#` the chosen one."""
    margin = 9
    x, y = _scales(layer, (0, width - margin - 1), (height - 1, 0))
    grid = [[" "] * (width - margin) for _ in range(height)]
    ranked = sorted(layer.candidates, key=lambda c: (c.chosen, c.on_front))
    for c in ranked:
        mark = "#" if c.chosen else "o" if c.on_front else "."
        grid[round(y(c.cycles))][round(x(c.arena_bytes))] = mark
    labels = {round(y(tick)): short(tick) for tick in decimal_ticks(y, height // 3)}
    lines = [
        f"{labels.get(row, ''):>{margin - 2}} {'┤' if row in labels else '│'}{''.join(cells)}"
        for row, cells in enumerate(grid)
    ]
    axis, below = ["─"] * (width - margin), [" "] * (width + 8)
    for tick in byte_ticks(x, max(1, (width - margin) // 12)):
        place = round(x(tick))
        axis[place] = "┬"
        below[place : place + len(short_bytes(tick))] = short_bytes(tick)
    return [
        *lines,
        " " * (margin - 1) + "└" + "".join(axis),
        " " * margin + "".join(below).rstrip(),
    ]


def _scales(
    layer: LayerSchedules, across: tuple[float, float], up: tuple[float, float]
) -> tuple[LogScale, LogScale]:
    # A layer of one token needs no memory in some schedules.
    sizes = [max(1.0, c.arena_bytes) for c in layer.candidates]
    cycles = [max(1.0, c.cycles) for c in layer.candidates]
    return log_scale(sizes, *across), log_scale(cycles, *up)


def _describe(c: Candidate) -> str:
    return f"{c.name}: {c.arena_bytes:,} bytes, {c.cycles:,} cycles"


def _place(c: Candidate, x: LogScale, y: LogScale) -> tuple[float, float]:
    return x(max(1, c.arena_bytes)), y(max(1, c.cycles))


def _axes(x: LogScale, y: LogScale, width: float) -> list[str]:
    bottom, parts = _HEIGHT - _BOTTOM, []
    for tick in byte_ticks(x, max(2, int(width / 90))):
        parts.append(svg.line(x(tick), _TOP, x(tick), bottom, "grid"))
        parts.append(svg.text(x(tick), bottom + 16, short_bytes(tick), class_="middle"))
    for tick in decimal_ticks(y, 8):
        parts.append(svg.line(_LEFT, y(tick), width - _RIGHT, y(tick), "grid"))
        parts.append(svg.text(_LEFT - 6, y(tick) + 4, short(tick), class_="end"))
    middle = (_LEFT + width - _RIGHT) / 2
    parts.append(svg.text(middle, _HEIGHT - 8, "peak bytes of the layer", class_="middle name"))
    parts.append(svg.text(4, 12, "estimated cycles", class_="name"))
    return parts


def _capacity(layer: LayerSchedules, x: LogScale) -> list[str]:
    """Where the memory ends, if that is in the picture."""
    if not x.low <= layer.capacity <= x.high:
        return []
    place, words = x(layer.capacity), f"{short_bytes(layer.capacity)} fit"
    right = place > (x.start + x.end) / 2
    return [
        svg.line(place, _TOP, place, _HEIGHT - _BOTTOM, "limit"),
        svg.text(place + (-5 if right else 5), _TOP + 10, words, class_="end" if right else "name"),
    ]


def _dot(c: Candidate, x: LogScale, y: LogScale) -> str:
    across, up = _place(c, x, y)
    kind = f"k{KINDS.index(c.schedule)}"
    place = "on the front" if c.on_front else "not on the front"
    hint = svg.title(f"{_describe(c)}, {place}{'' if c.fits else ', does not fit'}")
    if c.on_front:
        return svg.element("circle", hint, cx=across, cy=up, r=4.5, class_=f"front {kind}")
    return svg.element("circle", hint, cx=across, cy=up, r=2.2, class_=f"dot {kind}")


def _staircase(front: list[Candidate], x: LogScale, y: LogScale) -> str:
    places = [_place(c, x, y) for c in front]
    path = f"M{places[0][0]:.1f} {places[0][1]:.1f}"
    path += "".join(f"H{across:.1f}V{up:.1f}" for across, up in places[1:])
    return svg.element("path", d=path, class_="staircase")


def _choice(c: Candidate, x: LogScale, y: LogScale, width: float) -> str:
    """Above the others, where the falling front leaves room for its name."""
    across, up = _place(c, x, y)
    words, label = f"chosen: {c.name}", max(_TOP + 24, up - 64)
    left = across + len(words) * _CHARACTER > width - _RIGHT
    return svg.element(
        "g",
        svg.title(f"chosen: {_describe(c)}"),
        svg.line(across, label + 6, across, up - 9, "leader"),
        svg.element("circle", cx=across, cy=up, r=9, class_="halo"),
        svg.element("circle", cx=across, cy=up, r=5, class_=f"front k{KINDS.index(c.schedule)}"),
        svg.text(
            across + (6 if left else -6),
            label,
            words,
            class_="strong end" if left else "strong",
        ),
        class_="chosen",
    )
