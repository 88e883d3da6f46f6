# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Does it fit? Asked before linking where the answer is known, and of the linker after."""

from __future__ import annotations

import re
from dataclasses import replace

from tinyformer.errors import DoesNotFitError, ToolchainError
from tinyformer.firmware.interface import NetworkInterface
from tinyformer.targets import Memory, Target

# What the start-up code keeps in .noinit, and the alignment between sections.
_RUNTIME_RAM_BYTES = 64

_OVERFLOW = re.compile(r"section '([^']+)' will not fit in region '(\w+)': overflowed by (\d+) byt")


def data_bytes(io_bytes: int) -> int:
    """Static data of a program beside its arena."""
    return io_bytes + _RUNTIME_RAM_BYTES


def place_data(target: Target, io_bytes: int) -> Target:
    """The target with its static data in a memory that holds them.

    That is `data_memory` where it is large enough, else the first other one for arenas. If there
    is none, the target stays as it is, and `check_fit` will say so.
    """
    for name in (target.data_memory, *target.arena_memories):
        if data_bytes(io_bytes) <= target.arena_capacity(name):
            return replace(target, data_memory=name)
    return target


def check_constants(network: str, needed: int, target: Target) -> None:
    """Raises DoesNotFitError if weights, and what lies beside them, need more than their memory."""
    assert target.constant_memory is not None
    memory = target.memory(target.constant_memory)
    capacity = target.arena_capacity(memory.name)
    if needed <= capacity:
        return
    beside = " with inputs and outputs" if memory.name == target.data_memory else ""
    stacks = f", {memory.size - capacity} of them for stacks" if capacity < memory.size else ""
    raise DoesNotFitError(
        f"{network!r}: weights{beside} need {needed} bytes but {memory.name!r} of {target.name} "
        f"holds {memory.size}{stacks}; use a smaller model"
    )


def check_fit(interface: NetworkInterface, target: Target) -> None:
    """Raises DoesNotFitError for the first memory that cannot hold what lies in it."""
    for name in interface.arenas:
        target.arena_capacity(name)
    for memory in target.memories:
        if memory.kind == "ram":
            _check_memory(memory, interface, target)


def _check_memory(memory: Memory, interface: NetworkInterface, target: Target) -> None:
    arena = interface.arenas.get(memory.name, 0)
    others: dict[str, int] = {}
    if memory.name == target.stack_memory:
        others[_stacks(target)] = target.reserved_bytes
    if memory.name == target.data_memory:
        others["inputs, outputs and runtime"] = data_bytes(interface.io_bytes)
    if arena + sum(others.values()) <= memory.size:
        return
    if not arena:
        listed = ", ".join(f"{what} {size}" for what, size in others.items())
        raise DoesNotFitError(
            f"{interface.name!r} needs {sum(others.values())} bytes but {memory.name!r} of "
            f"{target.name} holds {memory.size} ({listed}); use smaller inputs or another target"
        )
    taken = "".join(f", of which {what} take {size}" for what, size in others.items())
    raise DoesNotFitError(
        f"arena needs {arena} bytes but {memory.name!r} of {target.name} holds {memory.size}{taken}"
        f"; {_advice(arena, memory, target)}"
    )


def _stacks(target: Target) -> str:
    return "the stack" if target.cores == 1 else f"the stacks of {target.cores} cores"


def _advice(arena: int, memory: Memory, target: Target) -> str:
    for name in target.arena_memories:
        if name != memory.name and target.arena_capacity(name) >= arena:
            return f"put this arena into {name!r}, which has {target.arena_capacity(name)}"
    return "use a smaller tile, a smaller model or a target with more RAM"


def explain_link_failure(
    error: ToolchainError, interface: NetworkInterface, target: Target
) -> Exception:
    """The linker's overflow as a DoesNotFitError with sums; any other error as it is."""
    overflows: dict[str, int] = {}
    for match in _OVERFLOW.finditer(str(error)):
        region = match.group(2)
        overflows[region] = max(overflows.get(region, 0), int(match.group(3)))
    if not overflows:
        return error
    name, overflow = next(iter(overflows.items()))
    memory = target.memory(name)
    return DoesNotFitError(
        f"{interface.name!r}: {_contents(name, target)} need {memory.size + overflow} bytes but "
        f"{name!r} of {target.name} holds {memory.size}; use a smaller model or a target with more "
        f"{memory.kind}"
    )


def _contents(name: str, target: Target) -> str:
    """What the memory called `name` may hold, as text."""
    kinds = (
        ("code", name == target.code_memory),
        ("weights", name == target.constant_memory),
        ("arena", name in target.arena_memories),
        ("stack", name == target.stack_memory),
        ("data", name == target.data_memory),
    )
    *first, last = (kind for kind, is_there in kinds if is_there)
    return f"{', '.join(first)} and {last}" if first else last
