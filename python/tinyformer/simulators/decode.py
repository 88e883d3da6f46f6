# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Thumb-2 instructions as the timing models see them: kind, registers, addressing."""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any


class Kind(Enum):
    """What a timing rule needs to know first about an instruction."""

    ALU = auto()
    DIVIDE = auto()
    IT = auto()
    LOAD = auto()
    STORE = auto()
    LOAD_MULTIPLE = auto()
    STORE_MULTIPLE = auto()
    BRANCH = auto()
    TABLE_BRANCH = auto()
    FLOAT = auto()


@dataclass(frozen=True)
class Instruction:
    """One decoded instruction.

    `operation` is the mnemonic without condition and width, `mnemonic` and `operands` are the
    text that an assembler reads. Registers are names as in the text ("r4", "sp"); `registers` are
    the operands that are registers, in the order of the text. `transfer` lists the registers that
    a load or store moves, in ascending address order.
    """

    address: int
    size: int
    operation: str
    mnemonic: str
    operands: str
    kind: Kind
    conditional: bool
    reads: frozenset[str]
    writes: frozenset[str]
    registers: tuple[str, ...]
    address_registers: frozenset[str]
    transfer: tuple[str, ...]
    register_offset: bool
    shifted: bool
    writeback: bool

    @property
    def writes_pc(self) -> bool:
        """Whether control may go elsewhere than to the next instruction."""
        return self.kind in (Kind.BRANCH, Kind.TABLE_BRANCH) or "pc" in self.writes

    @property
    def text(self) -> str:
        """The instruction as an assembler reads it."""
        return f"{self.mnemonic} {self.operands}".rstrip()


_LOADS = frozenset(
    {"ldr", "ldrb", "ldrh", "ldrsb", "ldrsh", "ldrt", "ldrbt", "ldrht", "ldrsbt", "ldrsht"}
    | {"ldrex", "ldrexb", "ldrexh", "vldr"}
)
_STORES = frozenset(
    {"str", "strb", "strh", "strt", "strbt", "strht", "strex", "strexb", "strexh", "vstr"}
)
_LOADS_MULTIPLE = frozenset({"ldm", "ldmdb", "ldrd", "pop", "vldmia", "vldmdb", "vpop"})
_STORES_MULTIPLE = frozenset({"stm", "stmdb", "strd", "push", "vstmia", "vstmdb", "vpush"})
_STACK = frozenset({"push", "pop", "vpush", "vpop"})
_BASE_IN_LIST = (_LOADS_MULTIPLE | _STORES_MULTIPLE) - _STACK - {"ldrd", "strd"}

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(_LOADS, Kind.LOAD),
    **dict.fromkeys(_STORES, Kind.STORE),
    **dict.fromkeys(_LOADS_MULTIPLE, Kind.LOAD_MULTIPLE),
    **dict.fromkeys(_STORES_MULTIPLE, Kind.STORE_MULTIPLE),
    **dict.fromkeys(("b", "bl", "bx", "blx", "cbz", "cbnz"), Kind.BRANCH),
    **dict.fromkeys(("tbb", "tbh"), Kind.TABLE_BRANCH),
    **dict.fromkeys(("udiv", "sdiv"), Kind.DIVIDE),
    "it": Kind.IT,
    # Moves to and from the FPU under the names that they had before UAL.
    **dict.fromkeys(("fmstat", "fconsts", "fconstd", "fmdhr", "fmdlr"), Kind.FLOAT),
}


# Capstone does not say that these have two results, or that they read them.
_LONG_PRODUCTS = frozenset({"smull", "umull"})
_LONG_SUMS = frozenset(
    {"smlal", "umlal", "umaal", "smlald", "smlaldx", "smlsld", "smlsldx"}
    | {"smlalbb", "smlalbt", "smlaltb", "smlaltt"}
)
_NO_RESULT = frozenset({"cmp", "cmn", "tst", "teq"})


def decode(code: bytes, address: int) -> tuple[Instruction, ...]:
    """All instructions of `code`, which begins at `address`.

    The code must be one straight run of instructions (a basic block): an undefined one ends it.
    """
    return tuple(_convert(insn) for insn in _disassembler().disasm(code, address))


@functools.cache
def _disassembler() -> Any:
    capstone = importlib.import_module("capstone")
    mode = capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS
    disassembler = capstone.Cs(capstone.CS_ARCH_ARM, mode)
    disassembler.detail = True
    return disassembler


def _kind(operation: str, writes: frozenset[str]) -> Kind:
    if operation in _KINDS:
        return _KINDS[operation]
    if operation.startswith("v"):
        return Kind.FLOAT
    return Kind.BRANCH if "pc" in writes else Kind.ALU


def _convert(insn: Any) -> Instruction:
    arm = importlib.import_module("capstone.arm")
    operation = str(insn.insn_name())
    writes = frozenset(str(insn.reg_name(r)) for r in insn.regs_access()[1])
    registers = [str(insn.reg_name(o.reg)) for o in insn.operands if o.type == arm.ARM_OP_REG]
    memory = [o.mem for o in insn.operands if o.type == arm.ARM_OP_MEM]
    conditional = insn.cc not in (arm.ARM_CC_INVALID, arm.ARM_CC_AL)
    shifts = [o.shift.type for o in insn.operands if o.type == arm.ARM_OP_REG]
    if insn.update_flags:
        writes |= {"cpsr"}
    return Instruction(
        address=insn.address,
        size=insn.size,
        operation=operation,
        mnemonic=insn.mnemonic,
        operands=insn.op_str,
        kind=_kind(operation, writes),
        conditional=conditional or operation in ("cbz", "cbnz"),
        reads=_reads(insn, operation, registers, conditional),
        writes=writes | {"sp"} if operation in _STACK else writes,
        registers=tuple(registers),
        address_registers=_address_registers(insn, operation, registers, memory),
        transfer=tuple(registers[1:] if operation in _BASE_IN_LIST else registers),
        register_offset=any(m.index != 0 for m in memory),
        shifted=any(shift != arm.ARM_SFT_INVALID for shift in shifts),
        writeback=bool(insn.writeback) or operation in _STACK,
    )


def _reads(insn: Any, operation: str, registers: list[str], conditional: bool) -> frozenset[str]:
    """The registers that the instruction reads.

    Capstone forgets some: operands of PKHBT, SXTAB16, SSAT and their kin, and sums that are results
    at the same time. A conditional instruction keeps the old result if it is not executed.
    """
    reads = {str(insn.reg_name(r)) for r in insn.regs_access()[0]}
    kind = _KINDS.get(operation)
    if operation in _LONG_SUMS or operation in _NO_RESULT:
        return frozenset(reads | set(registers))
    if kind is None and not operation.startswith("v"):
        reads |= set(registers[2 if operation in _LONG_PRODUCTS else 1 :])
    if conditional and kind not in (Kind.BRANCH, Kind.IT):
        reads |= {"cpsr", *registers}
    return frozenset(reads)


def _address_registers(
    insn: Any, operation: str, registers: list[str], memory: list[Any]
) -> frozenset[str]:
    """The registers that the address is made of; PC, which never waits, is none of them."""
    if operation in _STACK:
        return frozenset({"sp"})
    if operation in _BASE_IN_LIST:
        return frozenset({registers[0]})
    used = {str(insn.reg_name(r)) for m in memory for r in (m.base, m.index) if r != 0}
    return frozenset(used - {"pc"})
