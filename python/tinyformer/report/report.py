# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The report of a compilation as one HTML file that needs nothing else."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinyformer.report.axes import short_bytes
from tinyformer.report.bars import bars_svg
from tinyformer.report.measurement import Measurement
from tinyformer.report.page import both_widths, environment
from tinyformer.report.roofline import roofline_svg
from tinyformer.report.rows import FEED_FORWARD_REASON, NARROWING_REASON

if TYPE_CHECKING:
    from markupsafe import Markup

_NOISE_ROWS = 20


@dataclass(frozen=True)
class Verdict:
    """Does it fit, and does it compute what it should?"""

    good: bool
    word: str
    text: str


@dataclass(frozen=True)
class Decision:
    """One thing that the compiler chose for some layers."""

    layers: tuple[str, ...]
    kind: str
    choice: str
    reason: str


def report_page(measurement: Measurement) -> str:
    """The page, light and dark, for phones and screens."""
    templates = environment()
    templates.globals.update(
        bars=lambda profile: both_widths(lambda width: bars_svg(profile, width)),
        roofline=lambda profile, machine: both_widths(
            lambda width: roofline_svg(profile, machine, width)
        ),
    )
    templates.filters.update(bytes=short_bytes, decibels=_decibels, breakable=_breakable)
    return templates.get_template("report.html.j2").render(
        m=measurement,
        page=measurement.explanation,
        verdict=verdict(measurement),
        figures=_figures(measurement),
        contents=_contents(measurement),
        decisions=decisions(measurement),
        noise=measurement.noise[:_NOISE_ROWS],
        weight_total=sum(weight.bytes for weight in measurement.weights) or 1,
    )


def verdict(measurement: Measurement) -> Verdict:
    """The sentence at the top."""
    evaluation = measurement.evaluation
    exact = measurement.bit_exact and (
        evaluation is None or evaluation.bit_exact == evaluation.samples
    )
    if not exact:
        text = "The device gives other bits than the reference. This is a bug in TinyFormer."
        return Verdict(False, "Wrong.", text)
    fullest = max(measurement.memories, key=lambda use: use.share)
    text = (
        f"The fullest memory, {fullest.name}, is {100 * fullest.share:.0f} % full. "
        "The device gives the bits of the reference."
    )
    return Verdict(True, "Fits.", text)


def decisions(measurement: Measurement) -> list[Decision]:
    """Rows, weight fusion, tiling and kernels; layers for which all is the same are one entry."""
    chosen: dict[tuple[str, str, str], list[str]] = {}
    for narrowed in measurement.explanation.narrowed:
        rows = f"{narrowed.rows} of {narrowed.of}"
        chosen.setdefault(("rows computed", rows, NARROWING_REASON), []).append(narrowed.layer)
    for network in measurement.explanation.feed_forward:
        key = ("feed-forward network", f"{network.rows} rows at a time", FEED_FORWARD_REASON)
        chosen.setdefault(key, []).append(network.layer)
    for decision, why in measurement.explanation.fusion:
        word = "fused" if decision.fused else "not fused"
        chosen.setdefault(("weights", word, why), []).append(decision.layer)
    for layer in measurement.explanation.schedules:
        chosen.setdefault(("schedule", layer.chosen.name, layer.reason), []).extend(layer.layers)
    for use in measurement.kernels:
        chosen.setdefault(("kernel", use.kernel, use.reason), []).append(use.layer)
    return [Decision(tuple(layers), *key) for key, layers in chosen.items()]


def _figures(m: Measurement) -> list[tuple[str, str, str]]:
    """Title, figure, and what it is of."""
    found = []
    if m.profile:
        found.append(_latency(m))
        if m.profile.energy_uj is not None:
            energy = f"{m.profile.energy_uj:,.1f} µJ"
            found.append(("energy (estimate)", energy, f"at {m.target.power_mw:g} mW"))
        if m.profile.macs:
            rate = m.profile.macs / m.profile.cycles
            peak = f"of {m.machine.macs_per_cycle} at most" if m.machine else ""
            found.append(("MAC per cycle", f"{rate:.2f}", peak))
    found += _accuracy(m)
    arenas = ", ".join(arena.memory for arena in m.explanation.arenas)
    found.append(("arena", short_bytes(m.arena_bytes), f"in {arenas}"))
    found.append(("weights", short_bytes(m.weight_bytes), f"code {short_bytes(m.code_bytes)}"))
    return found


def _latency(m: Measurement) -> tuple[str, str, str]:
    assert m.profile is not None
    cycles = f"{m.profile.cycles:,} cycles"
    if m.profile.milliseconds is None or m.target.clock_hz is None:
        return "latency", cycles, ""
    clock = f"at {m.target.clock_hz / 1e6:g} MHz"
    return "latency", f"{m.profile.milliseconds:.2f} ms", f"{cycles} {clock}"


def _accuracy(m: Measurement) -> list[tuple[str, str, str]]:
    if m.evaluation is None:
        return _outputs(m.output_db, "first sample")
    found = []
    device, real = m.evaluation.device_accuracy, m.evaluation.float_accuracy
    if device is not None:
        note = "" if real is None else f"float {100 * real:.1f} %"
        found.append(("accuracy", f"{100 * device:.1f} %", note))
    return found + _outputs(m.evaluation.snr_db, f"{m.evaluation.samples} samples")


def _outputs(decibels: float | None, of: str) -> list[tuple[str, str, str]]:
    if decibels is None:
        return []
    return [("outputs", _decibels(decibels), f"signal to noise, {of}")]


def _contents(m: Measurement) -> list[tuple[str, str]]:
    measured = [("cycles", "time"), ("roofline", "peak")] if m.profile and m.profile.macs else []
    return [
        *measured,
        ("memory", "memory"),
        ("schedules", "schedules"),
        ("decisions", "decisions"),
        ("weights", "weights"),
        *([("noise", "quantisation")] if m.noise else []),
    ]


def _breakable(name: str) -> Markup:
    """A name that may go on in the next line behind a slash or underscore."""
    from markupsafe import Markup, escape

    parts = re.split(r"(?<=[/_])", name)
    return Markup("<wbr>").join(escape(part) for part in parts)


def _decibels(value: float) -> str:
    return "exact" if math.isinf(value) and value > 0 else f"{value:.1f} dB"
