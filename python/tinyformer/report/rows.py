# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layers that do not compute all their rows, or not all at a time, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinyformer.decisions import NarrowedLayer, TiledFeedForward

NARROWING_REASON = "nothing reads the other rows"
FEED_FORWARD_REASON = "its wide rows never exist as a whole"


def row_lines(
    narrowed: Iterable[NarrowedLayer], feed_forward: Iterable[TiledFeedForward]
) -> list[str]:
    """A line for all layers that compute as many rows of as many, or as many at a time."""
    groups: dict[str, list[str]] = {}
    for layer in narrowed:
        what = f"{layer.rows} of {layer.of} rows computed ({NARROWING_REASON})"
        groups.setdefault(what, []).append(layer.layer)
    for network in feed_forward:
        what = f"feed-forward network, {network.rows} rows at a time ({FEED_FORWARD_REASON})"
        groups.setdefault(what, []).append(network.layer)
    return [f"{what}: {', '.join(names)}" for what, names in groups.items()]
