# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The memory plan: buffers as rectangles over time, an area for each arena."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle
from string import ascii_letters, digits

from tinyformer.decisions import Arena, MemoryPlan, PlannedBuffer
from tinyformer.report import svg
from tinyformer.report.axes import linear_ticks, short_bytes

COLOURS = 6
"""Buffers take the colours k0 ... k5 of the style sheet in turn."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 10.0, 24.0, 40.0
_CHARACTER = 6.2


def timeline_svg(plan: MemoryPlan, arena: Arena, width: float) -> str:
    """One arena of the plan, `width` units wide; its texts have the size of 11 units."""
    buffers = buffers_in(plan, arena)
    inner = 260.0
    step = (width - _LEFT - _RIGHT) / max(1, len(plan.steps))
    bottom = _TOP + inner
    # Room for the lower bound, which is never above the size.
    scale = inner / arena.size

    def draw(number: int, buffer: PlannedBuffer) -> str:
        return _rectangle(plan, buffer, number, _LEFT + buffer.first * step, bottom, scale, step)

    return svg.drawing(
        width,
        bottom + _BOTTOM,
        f"{len(buffers)} buffers in the arena of {arena.size:,} bytes in {arena.memory}, over "
        f"{len(plan.steps)} steps",
        *_axes(plan, arena, width, step, scale),
        *(draw(number, buffer) for number, buffer in enumerate(buffers)),
        *_bounds(arena, width, scale),
        class_="plot",
    )


def timeline_text(plan: MemoryPlan, arena: Arena, width: int, height: int) -> list[str]:
    """One arena in characters: a letter for each buffer, as `lettered` has them."""
    margin = 11
    steps = max(1, len(plan.steps))
    columns = min(width - margin, steps * max(1, (width - margin) // steps))
    rows = [[" "] * columns for _ in range(height)]
    for letter, buffer in lettered(plan, arena):
        left, right = buffer.first * columns // steps, (buffer.last + 1) * columns // steps
        low = min(height - 1, round(buffer.offset * height / arena.size))
        high = round((buffer.offset + buffer.size) * height / arena.size)
        for row in range(low, max(low + 1, high)):
            for column in range(left, max(left + 1, right)):
                rows[row][column] = letter
    labels = {height - 1: short_bytes(arena.size), 0: "0"}
    lines = [
        f"{labels.get(row, ''):>{margin - 2}} │{''.join(rows[row])}│"
        for row in reversed(range(height))
    ]
    last = f"step {len(plan.steps) - 1}"
    return [
        *lines,
        " " * (margin - 1) + "└" + "─" * columns + "┘",
        " " * margin + "0" + last.rjust(columns - 1),
    ]


def buffers_in(plan: MemoryPlan, arena: Arena) -> list[PlannedBuffer]:
    """The buffers of one arena, by their first step."""
    inside = [buffer for buffer in plan.buffers if buffer.memory == arena.memory]
    return sorted(inside, key=lambda b: (b.first, b.offset))


def lettered(plan: MemoryPlan, arena: Arena) -> Iterable[tuple[str, PlannedBuffer]]:
    """The buffers of one arena with a letter each; after 62 they begin again."""
    return zip(cycle(ascii_letters + digits), buffers_in(plan, arena), strict=False)


def step_name(plan: MemoryPlan, step: int) -> str:
    """The layer at a step, or a word for one without a name."""
    return plan.steps[step] or "unnamed"


def _axes(plan: MemoryPlan, arena: Arena, width: float, step: float, scale: float) -> list[str]:
    bottom = _TOP + arena.size * scale
    parts = []
    for tick in linear_ticks(arena.size, 8):
        up = bottom - tick * scale
        parts.append(svg.line(_LEFT, up, width - _RIGHT, up, "grid"))
        parts.append(svg.text(_LEFT - 6, up + 4, short_bytes(tick), class_="end"))
    every = max(1, -(-len(plan.steps) * 34 // int(width - _LEFT - _RIGHT)))
    for number in range(0, len(plan.steps), every):
        middle = _LEFT + (number + 0.5) * step
        label = svg.text(middle, bottom + 15, str(number), class_="middle")
        parts.append(svg.element("g", svg.title(step_name(plan, number)), label))
    centre = (_LEFT + width - _RIGHT) / 2
    parts.append(svg.text(centre, bottom + 32, "step of the program", class_="middle name"))
    parts.append(svg.text(4, 12, f"offset in {arena.memory}", class_="name"))
    return parts


def _rectangle(
    plan: MemoryPlan,
    buffer: PlannedBuffer,
    number: int,
    left: float,
    bottom: float,
    scale: float,
    step: float,
) -> str:
    width, height = (buffer.last - buffer.first + 1) * step, buffer.size * scale
    top = bottom - buffer.offset * scale - height
    shape = svg.element(
        "rect",
        x=left + 0.5,
        y=top + 0.5,
        width=max(0.5, width - 1),
        height=max(0.5, height - 1),
        rx=2,
        class_=f"buffer k{number % COLOURS}",
    )
    label = _label(buffer.name, width - 8) if height >= 13 else ""
    return svg.element(
        "g",
        svg.title(
            f"{buffer.name or 'unnamed'}: {buffer.size:,} bytes at offset {buffer.offset:,}, "
            f"steps {buffer.first} to {buffer.last} ({step_name(plan, buffer.first)} to "
            f"{step_name(plan, buffer.last)})"
        ),
        shape,
        svg.text(left + 5, top + height / 2 + 4, label, class_="inside") if label else "",
    )


def _label(name: str, width: float) -> str:
    """As much of the end of a layer's name as there is room for."""
    parts = name.strip("/").split("/")
    for start in range(len(parts)):
        label = "/".join(parts[start:])
        if len(label) * _CHARACTER <= width:
            return label
    return ""


def _bounds(arena: Arena, width: float, scale: float) -> list[str]:
    """The size, and the lower bound where it is another one."""
    right, bottom = width - _RIGHT, _TOP + arena.size * scale
    words = f"arena {arena.size:,} bytes, lower bound {arena.lower_bound:,}"
    parts = [
        svg.line(_LEFT, _TOP, right, _TOP, "size"),
        svg.text(right, 14, words, class_="end strong"),
    ]
    if arena.lower_bound < arena.size:
        up = bottom - arena.lower_bound * scale
        parts.append(svg.line(_LEFT, up, right, up, "limit"))
    return parts
