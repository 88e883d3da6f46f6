# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Why a simulated run stopped, in words."""

from __future__ import annotations

from dataclasses import dataclass

from tinyformer.errors import SimulationError
from tinyformer.simulators.program import Program
from tinyformer.targets import Target

# tf_runtime.h has the same list.
_REASONS = {
    2: "a non-maskable interrupt",
    3: "a hard fault",
    4: "a memory-management fault",
    5: "a bus fault",
    6: "a usage fault",
    255: "an unexpected exception",
}

# How far below the stack an access still counts as its overflow: frames are smaller.
_STACK_REACH = 64 * 1024

# A PUSH that overflows has not moved SP yet: at most 16 core and 32 FPU registers.
_LARGEST_PUSH = 48 * 4


@dataclass(frozen=True)
class BadAccess:
    """A memory access that the memory map forbids."""

    what: str
    address: int
    size: int
    pc: int
    sp: int


def access_error(access: BadAccess, program: Program, target: Target) -> SimulationError:
    """The error for `access`: a stack overflow, a write to flash, or a stray access."""
    place = program.describe(access.pc)
    bottom = target.memory(target.stack_memory).base
    below = bottom - _STACK_REACH <= access.address < bottom
    if below and access.sp < bottom + _LARGEST_PUSH:
        lowest = min(access.sp, access.address)
        return SimulationError(
            f"stack overflow at {place}: it grew to 0x{lowest:08x}, "
            f"{bottom - lowest} bytes below the end of its {target.stack_bytes} bytes; "
            "generated code must not recurse and must keep its buffers in an arena"
        )
    memory = next((m for m in target.memories if m.base <= access.address < m.end), None)
    if memory is None:
        where = f"where {target.name} has no memory"
    else:
        where = f"in {memory.name!r}, which does not allow it"
    return SimulationError(
        f"{access.what} of {access.size} bytes at address 0x{access.address:08x}, {where}, "
        f"by {place}"
    )


def limit_error(limit: int, pc: int, program: Program) -> SimulationError:
    """The error for a run that did not end."""
    return SimulationError(
        f"the program did not return within {limit} instructions and was stopped at "
        f"{program.describe(pc)}; it loops for ever, or instruction_limit is too small for it"
    )


def exception_error(reason: str, pc: int, program: Program) -> SimulationError:
    """The error for an exception of the processor, such as an undefined instruction."""
    return SimulationError(f"{reason} at {program.describe(pc)}")


def reported_fault_error(reason: int, program: Program) -> SimulationError:
    """The error for a fault that the firmware's own handler reported in tf_fault."""
    what = _REASONS.get(reason, f"a fault with the unknown number {reason}")
    return SimulationError(
        f"the firmware {program.path.name} stopped in its fault handler after {what}"
    )
