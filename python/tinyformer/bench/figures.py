# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a measurement says about work done: per cycle, per element, and in bytes of code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinyformer.bench.layers import Layer, Work

if TYPE_CHECKING:
    from tinyformer.bench.measure import Measurement


def rates(work: Work, cycles: int | None, pessimistic: int | None) -> dict[str, Any]:
    """Work and its speed; null where there is no such work, or no cycles."""
    figures: dict[str, Any] = {"macs": work.macs}
    for suffix, count in (("", cycles), ("_pessimistic", pessimistic)):
        figures[f"macs_per_cycle{suffix}"] = work.macs / count if work.macs and count else None
    figures["elements"] = work.elements or None
    for suffix, count in (("", cycles), ("_pessimistic", pessimistic)):
        each = count / work.elements if work.elements and count else None
        figures[f"cycles_per_element{suffix}"] = each
    return figures


def part_figures(layer: Layer, result: Measurement) -> dict[str, Any]:
    """The functions that each part of `layer` became, and how fast they are together.

    A part may be several functions (tiles and the rows left over, projection and requantisation)
    or, where fusion removes it, none. Code that several of them share is counted once.
    """
    run, interface = result.run, result.image.interface
    entry = {interface.run_symbol, interface.invoke_symbol}
    layers = {name: it for name, it in run.layers.items() if name not in entry}
    figures: dict[str, Any] = {}
    for part, work in layer.parts.items():
        found = {name: it for name, it in layers.items() if f"_{part}_" in f"{name}_"}
        if not found:
            continue
        cycles = sum(it.cycles for it in found.values())
        worse = None
        if run.cycles_pessimistic is not None:
            worse = sum(it.cycles_pessimistic or 0 for it in found.values())
        kernels = {kernel for it in found.values() for kernel in it.kernels}
        figures[part] = {
            "layers": list(found),
            "cycles": cycles,
            "cycles_pessimistic": worse,
            **rates(work, cycles, worse),
            "code_bytes": sum(run.kernel_bytes[kernel] for kernel in kernels),
        }
    return figures
