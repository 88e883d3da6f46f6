# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Multiply-accumulates a cycle of each layer, below what the chip can do at most."""

from __future__ import annotations

from dataclasses import dataclass

from tinyformer.profile import LayerProfile, Profile
from tinyformer.report import svg
from tinyformer.report.axes import LogScale, log_scale
from tinyformer.targets import Target

_HEIGHT = 330.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 16.0, 24.0, 44.0
_CHARACTER = 6.2
_MOST_NAMES = 10


@dataclass(frozen=True)
class Machine:
    """What a chip can do a cycle at most: products, and bytes between registers and RAM."""

    macs_per_cycle: int
    bytes_per_cycle: int
    why: str

    def roof(self, macs_per_byte: float) -> float:
        """The most products a cycle for work with so many products a byte."""
        return min(float(self.macs_per_cycle), self.bytes_per_cycle * macs_per_byte)


# One core: SMLAD makes two products, pv.sdotsp.b four, both one a cycle.
_CORES = {
    "cortex-m4": Machine(2, 4, "SMLAD: 2 products a cycle; 4 bytes loaded a cycle"),
    "cortex-m7": Machine(2, 8, "SMLAD: 2 products a cycle; 8 bytes loaded a cycle"),
    "ri5cy": Machine(4, 4, "pv.sdotsp.b: 4 products a cycle; 4 bytes loaded a cycle"),
}


def machine_of(target: Target) -> Machine | None:
    """All cores that the network uses together; None without a timing model."""
    core = _CORES.get(target.core)
    if core is None:
        return None
    each = f"{target.cores} cores, each with " if target.cores > 1 else ""
    return Machine(
        core.macs_per_cycle * target.cores,
        core.bytes_per_cycle * target.cores,
        f"{each}{core.why}",
    )


def roofline_svg(profile: Profile, machine: Machine, width: float) -> str:
    """The plot, `width` units wide; its texts have the size of 11 units."""
    layers = [layer for layer in profile if layer.macs_per_cycle and layer.macs_per_byte]
    ridge = machine.macs_per_cycle / machine.bytes_per_cycle
    across = [layer.macs_per_byte or 0.0 for layer in layers]
    up = [layer.macs_per_cycle or 0.0 for layer in layers]
    x = log_scale([*across, ridge / 2, ridge * 4], _LEFT, width - _RIGHT)
    y = log_scale([*up, machine.macs_per_cycle * 1.3], _HEIGHT - _BOTTOM, _TOP)
    return svg.drawing(
        width,
        _HEIGHT,
        f"products a cycle of {len(layers)} layers against products a byte; the peak is "
        f"{machine.macs_per_cycle} a cycle",
        *_axes(x, y, width),
        _roof(machine, ridge, x, y),
        *(_dot(layer, machine, x, y) for layer in layers),
        *_labels(layers, x, y, width),
        class_="plot",
    )


def _axes(x: LogScale, y: LogScale, width: float) -> list[str]:
    bottom, parts = _HEIGHT - _BOTTOM, []
    for tick in _ticks(x):
        parts.append(svg.line(x(tick), _TOP, x(tick), bottom, "grid"))
        parts.append(svg.text(x(tick), bottom + 16, f"{tick:g}", class_="middle"))
    for tick in _ticks(y):
        parts.append(svg.line(_LEFT, y(tick), width - _RIGHT, y(tick), "grid"))
        parts.append(svg.text(_LEFT - 6, y(tick) + 4, f"{tick:g}", class_="end"))
    middle = (_LEFT + width - _RIGHT) / 2
    parts.append(svg.text(middle, _HEIGHT - 8, "MAC per byte touched", class_="middle name"))
    parts.append(svg.text(4, 12, "MAC per cycle", class_="name"))
    return parts


def _ticks(scale: LogScale) -> list[float]:
    steps = [float(m * 10**n) for n in range(-3, 7) for m in (1, 2, 5)]
    inside = [step for step in steps if scale.low <= step <= scale.high]
    return inside[:: -(-len(inside) // 9)] if inside else []


def _roof(machine: Machine, ridge: float, x: LogScale, y: LogScale) -> str:
    top = y(machine.macs_per_cycle)
    start = max(x.low, y.low / machine.bytes_per_cycle)
    path = f"M{x(start):.1f} {y(machine.roof(start)):.1f}"
    if start < ridge:
        path += f"L{x(ridge):.1f} {top:.1f}"
    path += f"H{x.end:.1f}"
    label = svg.text(
        x.end, top - 6, f"peak {machine.macs_per_cycle} MAC/cycle", class_="end strong"
    )
    return svg.element("g", svg.element("path", d=path, class_="roof"), label)


def _dot(layer: LayerProfile, machine: Machine, x: LogScale, y: LogScale) -> str:
    rate, intensity = layer.macs_per_cycle or 0.0, layer.macs_per_byte or 0.0
    share = rate / machine.roof(intensity)
    hint = svg.title(
        f"{layer.name}: {rate:.2f} MAC/cycle, {100 * share:.0f} % of what is possible; "
        f"{intensity:.1f} MAC/byte, {100 * layer.share:.1f} % of the cycles"
    )
    radius = 3 + 9 * layer.share**0.5
    return svg.element(
        "circle", hint, cx=x(intensity), cy=y(rate), r=radius, class_="dot-filled k1"
    )


def _labels(layers: list[LayerProfile], x: LogScale, y: LogScale, width: float) -> list[str]:
    """The names of the slowest layers, where neither another name nor a circle is."""
    places = [(x(it.macs_per_byte or 0.0), y(it.macs_per_cycle or 0.0)) for it in layers]
    taken = [(across - 7, across + 7, down - 7, down + 7) for across, down in places]
    parts: list[str] = []
    for layer, (across, down) in zip(layers, places, strict=True):
        words = "/".join(layer.name.strip("/").split("/")[-2:])
        length = len(words) * _CHARACTER
        for left, base in (
            (across + 11, down + 4),
            (across - 11 - length, down + 4),
            (across - length / 2, down - 12),
            (across - length / 2, down + 20),
        ):
            box = (left, left + length, base - 10, base + 2)
            inside = left > _LEFT and left + length < width - _RIGHT
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                parts.append(svg.text(left, base, words, class_="name"))
                break
        if len(parts) == _MOST_NAMES:
            break
    return parts


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]
