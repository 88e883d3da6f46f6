# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cycles of each layer as bars, the longest first."""

from __future__ import annotations

from dataclasses import dataclass

from tinyformer.profile import Profile
from tinyformer.report import svg
from tinyformer.report.axes import short

_ROW, _TOP, _CHARACTER = 22.0, 6.0, 6.2
_MOST = 24


@dataclass(frozen=True)
class Bar:
    """A labelled length; `share` is of the whole."""

    name: str
    value: int
    share: float


def bars_of(profile: Profile, most: int = _MOST) -> list[Bar]:
    """The slowest layers, and the others as one."""
    bars = [Bar(layer.name, layer.cycles, layer.share) for layer in profile]
    shown, rest = bars[:most], bars[most:]
    if rest:
        name = f"{len(rest)} others"
        shown.append(Bar(name, sum(b.value for b in rest), sum(b.share for b in rest)))
    return shown


def bars_svg(profile: Profile, width: float) -> str:
    """The chart, `width` units wide; its texts have the size of 11 units."""
    bars = bars_of(profile)
    wide = width > 600
    left = min(0.36 * width, 8 + _CHARACTER * max(len(bar.name) for bar in bars)) if wide else 0.0
    row = _ROW if wide else 1.7 * _ROW
    right = 118.0 if wide else 8.0
    longest = max(bar.value for bar in bars) or 1
    scale = (width - left - right) / longest
    return svg.drawing(
        width,
        _TOP + row * len(bars) + 4,
        f"cycles of {len(bars)} layers, the slowest {bars[0].name} with {bars[0].value:,}",
        *(_bar(bar, _TOP + row * i, left, scale, wide) for i, bar in enumerate(bars)),
        class_="plot",
    )


def _bar(bar: Bar, top: float, left: float, scale: float, wide: bool) -> str:
    figures = f"{short(bar.value)}, {100 * bar.share:.1f} %"
    length = max(1.0, bar.value * scale)
    hint = svg.title(f"{bar.name}: {bar.value:,} cycles, {100 * bar.share:.1f} %")
    if wide:
        name = svg.text(left - 8, top + 14, shorten(bar.name, left - 8), class_="end name")
        label = svg.text(left + length + 6, top + 14, figures, class_="strong")
        shape = svg.element("rect", x=left, y=top + 2, width=length, height=15, rx=2, class_="bar")
        return svg.element("g", hint, name, shape, label)
    name = svg.text(0, top + 11, f"{shorten(bar.name, 250)}  {figures}", class_="strong")
    shape = svg.element("rect", x=0, y=top + 17, width=length, height=12, rx=2, class_="bar")
    return svg.element("g", hint, name, shape)


def shorten(name: str, width: float) -> str:
    """A name with its beginning left out where there is no room for it."""
    most = max(4, int(width / _CHARACTER))
    return name if len(name) <= most else "…" + name[-(most - 1) :]
