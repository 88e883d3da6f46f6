# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Unaligned accesses: which of them the chip allows.

Unicorn does not check what ARMv7-M wants aligned, so that a wrong arena offset would go unnoticed
until the first run on silicon.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tinyformer.errors import SimulationError
from tinyformer.simulators.block_profile import UnalignedAccess
from tinyformer.simulators.decode import Kind, decode
from tinyformer.simulators.program import Program

_MULTIPLE = (Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE)
_ALWAYS_ALIGNED = frozenset({"vldr", "vstr", "ldrex", "ldrexh", "strex", "strexh"})


def unaligned_by_symbol(
    program: Program, flash: bytes, flash_base: int, accesses: Sequence[UnalignedAccess]
) -> dict[str, int]:
    """How many of `accesses` each function made; an error if one of them is a fault on the chip.

    ARMv7-M ARM, A3.2.1: LDM, STM, LDRD, STRD, PUSH, POP, VLDR, VSTR and exclusive accesses must be
    aligned to words; the others may be unaligned and are slower then.
    """
    counts: Counter[str] = Counter()
    for access in accesses:
        start = access.pc - flash_base
        instruction = decode(flash[start : start + 4], access.pc)[0]
        if instruction.kind in _MULTIPLE or instruction.operation in _ALWAYS_ALIGNED:
            raise SimulationError(
                f"'{instruction.text}' at {program.describe(access.pc)} accessed an address "
                f"{access.offset} bytes behind a multiple of 4, which is a usage fault on the chip"
            )
        counts[program.function_name(access.pc)] += access.count
    return dict(counts)
