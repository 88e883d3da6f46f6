# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where a measured layer lies: as on the chip, or all of it in one memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tinyformer.options import OptionError
from tinyformer.targets import Memory, Target

_FIRST_L1 = 512 * 1024
# The simulator's largest.
_LARGEST_L1 = 1024 * 1024


def chips_for(target: Target, memory: str | None) -> Iterator[Target]:
    """The chips to try, one after the other, until the layer fits.

    With `memory` "l1" everything but the code is in L1, larger than the chip's own, so that no tile
    is as small as memory wants it: what is measured then are the kernels, not the way to them.
    None is the chip as it is.
    """
    if memory is None:
        yield target
        return
    if memory != "l1" or target.core != "ri5cy":
        raise OptionError(
            f"--memory takes l1, for a target with a cluster; got '{memory}' for {target.name}"
        )
    size = _FIRST_L1
    while size <= _LARGEST_L1:
        yield all_in_l1(target, size)
        size *= 2


def all_in_l1(target: Target, size: int) -> Target:
    """The chip with an L1 of `size` bytes that holds everything but the code; nothing is copied."""

    def resized(memory: Memory) -> Memory:
        return replace(memory, size=size) if memory.name == "l1" else memory

    return replace(
        target,
        memories=tuple(map(resized, target.memories)),
        constant_memory="l1",
        arena_memories=("l1",),
        data_memory="l1",
        dma=None,
    )
