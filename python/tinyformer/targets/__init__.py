# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The targets, one file each; adding one is a file and a line here."""

from __future__ import annotations

from tinyformer.errors import UnknownTargetError
from tinyformer.targets.description import Memory, MemoryKind, Target
from tinyformer.targets.gap9 import GAP9
from tinyformer.targets.host import HOST
from tinyformer.targets.pulp_open import PULP_OPEN
from tinyformer.targets.stm32h7 import STM32H7
from tinyformer.targets.stm32l4 import STM32L4

__all__ = ["TARGETS", "Memory", "MemoryKind", "Target", "get_target"]

_ALL = (STM32L4, STM32H7, GAP9, PULP_OPEN, HOST)

TARGETS: dict[str, Target] = {target.name: target for target in _ALL}


def get_target(name: str) -> Target:
    """The target called `name`; an error that names the known ones if there is none."""
    if name in TARGETS:
        return TARGETS[name]
    known = ", ".join(TARGETS)
    raise UnknownTargetError(f"unknown target {name!r}; the known targets are {known}")
