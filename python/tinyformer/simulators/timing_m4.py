# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cycles of the Cortex-M4, from ARM's tables, without wait states.

Sources: ARM DDI 0439B, "Cortex-M4 Technical Reference Manual", table 3-1 (instructions), section
3.3.2 (load/store timings), and table 7-1 (FPU instructions). The table gives a pipeline refill P
of one to three cycles; P = 2 here, the value for aligned targets that were not guessed early.
Instructions under IT are counted as executed, and accesses as aligned (an unaligned load costs one
or two cycles more: check_alignment counts them). No rule was compared with silicon.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinyformer.simulators.decode import Instruction, Kind

TIMING_MODEL = "Cortex-M4 TRM table, zero wait states"

PIPELINE_REFILL = 2

# UDIV, SDIV: 2 to 12, depending on the operands; the worst.
DIVIDE_CYCLES = 12

# TBB, TBH: "at least two cycles for the load, one for the add", and the refill on top.
TABLE_BRANCH_CYCLES = 3

_FLOAT_CYCLES = {"vdiv": 14, "vsqrt": 14, "vmla": 3, "vmls": 3, "vnmla": 3, "vnmls": 3}
_FUSED_FLOAT_CYCLES = {"vfma": 3, "vfms": 3, "vfnma": 3, "vfnms": 3}


def block_cycles(instructions: Sequence[Instruction]) -> int:
    """Cycles of one execution of a basic block whose last instruction does not branch.

    `taken_branch_cycles` comes on top for each execution that leaves through a branch.
    """
    cycles = 0
    previous: Instruction | None = None
    for instruction in instructions:
        cycles += instruction_cycles(previous, instruction)
        previous = instruction
    return cycles


def instruction_cycles(previous: Instruction | None, instruction: Instruction) -> int:
    """Cycles of one instruction behind `previous` (None at the start of a block)."""
    match instruction.kind:
        case Kind.LOAD:
            cycles = _load_cycles(previous, instruction)
        case Kind.STORE:
            cycles = _store_cycles(previous, instruction)
        case Kind.LOAD_MULTIPLE | Kind.STORE_MULTIPLE:
            cycles = _multiple_cycles(instruction)
        case Kind.DIVIDE:
            cycles = DIVIDE_CYCLES
        case Kind.TABLE_BRANCH:
            cycles = TABLE_BRANCH_CYCLES
        case Kind.FLOAT:
            cycles = _float_cycles(instruction)
        case _:
            cycles = 1
    return cycles + _address_stall(previous, instruction)


def taken_branch_cycles(last: Instruction, falls_through: bool) -> int:
    """The refill of the pipeline when a block is left through its last instruction.

    Table 3-1: B, BL, BX, BLX, CBZ, TBB, TBH, and whatever loads or computes PC cost P more when
    they branch; a conditional branch that falls through costs nothing more.
    """
    if not last.writes_pc:
        return 0
    return 0 if falls_through and last.conditional else PIPELINE_REFILL


def _load_cycles(previous: Instruction | None, load: Instruction) -> int:
    """Table 3-1: LDR 2. Section 3.3.2: one less behind an LDR that it is pipelined with.

    "LDR [any] are pipelined when possible: if the next instruction is an LDR or STR, and the
    destination of the first LDR is not used to compute the address for the next instruction, then
    one cycle is removed from the cost of the next instruction." Base-updating loads "are not
    normally pipelined", neither with what is before nor with what is behind.
    Table 7-1: VLDR.32 2, VLDR.64 3.
    """
    if load.operation == "vldr":
        return 3 if load.transfer[0].startswith("d") else 2
    if load.writeback or load.writes_pc:
        return 2
    return 1 if _pipelines(previous, load) else 2


def _store_cycles(previous: Instruction | None, store: Instruction) -> int:
    """Table 3-1: STR 2. Section 3.3.2: 1 with an immediate offset, through the write buffer.

    With a register offset it is 2, or 1 behind an LDR that it is pipelined with. The manual says
    nothing of base-updating stores; they count like those with an immediate.
    Table 7-1: VSTR.32 2, VSTR.64 3.
    """
    if store.operation == "vstr":
        return 3 if store.transfer[0].startswith("d") else 2
    if store.operation.startswith("strex"):
        return 1 if _pipelines(previous, store) else 2
    if not store.register_offset:
        return 1
    return 1 if _pipelines(previous, store) else 2


def _pipelines(previous: Instruction | None, following: Instruction) -> bool:
    """Whether `previous` is an LDR behind which a load or store saves a cycle."""
    if previous is None or previous.kind is not Kind.LOAD:
        return False
    if previous.writeback or previous.writes_pc or previous.operation == "vldr":
        return False
    return not previous.writes & following.address_registers


def _multiple_cycles(instruction: Instruction) -> int:
    """Table 3-1: LDM, STM, PUSH, POP, LDRD, STRD 1 + N. Section 3.3.2: pipelined with nothing.

    Table 7-1: VLDM, VSTM, VPUSH, VPOP 1 + N single or 1 + 2N double registers.
    """
    words = sum(2 if register.startswith("d") else 1 for register in instruction.transfer)
    return 1 + words


def _address_stall(previous: Instruction | None, instruction: Instruction) -> int:
    """One cycle when the instruction before computes an address register of this access.

    Section 3.3.2: "any load or store that generates an address dependent on the result of a
    preceding data processing operation stalls the pipeline for an additional cycle while the
    register bank is updated. There is no forwarding path for this scenario."
    """
    if previous is None or not instruction.address_registers:
        return 0
    if previous.kind not in (Kind.ALU, Kind.DIVIDE, Kind.FLOAT):
        return 0
    return 1 if previous.writes & instruction.address_registers else 0


def _float_cycles(instruction: Instruction) -> int:
    """Table 7-1: 1 for most, 2 for a VMOV that moves two registers, 3 fused, 14 VDIV, VSQRT."""
    operation = instruction.operation
    if operation == "vmov" and instruction.operands.count(",") >= 2:
        return 2
    return _FLOAT_CYCLES.get(operation, _FUSED_FLOAT_CYCLES.get(operation, 1))
