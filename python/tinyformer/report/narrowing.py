# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layers that compute only the rows that are read, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinyformer.decisions import NarrowedLayer

NARROWING_REASON = "nothing reads the other rows"


def narrowing_lines(layers: Iterable[NarrowedLayer]) -> list[str]:
    """A line for all layers that compute as many rows of as many."""
    groups: dict[tuple[int, int], list[str]] = {}
    for layer in layers:
        groups.setdefault((layer.rows, layer.of), []).append(layer.layer)
    return [
        f"{rows} of {of} rows computed ({NARROWING_REASON}): {', '.join(names)}"
        for (rows, of), names in groups.items()
    ]
