# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""All 49,152 compressed encodings, against capstone."""

from __future__ import annotations

import re

import capstone
import pytest
from tinyformer import _pulp

PC = 0x1000

# What each is short for, with {0}, {1}, … the operands that capstone prints.
LONG_FORMS = {
    "c.nop": "addi zero, zero, *",
    "c.addi": "addi {0}, {0}, {1}",
    "c.addi4spn": "addi {0}, {1}, {2}",
    "c.addi16sp": "addi sp, sp, {1}",
    "c.li": "addi {0}, zero, {1}",
    "c.lui": "lui {0}, {1}",
    "c.lw": "lw {0}, {1}",
    "c.lwsp": "lw {0}, {1}",
    "c.sw": "sw {0}, {1}",
    "c.swsp": "sw {0}, {1}",
    "c.slli": "slli {0}, {0}, {1}",
    "c.srli": "srli {0}, {0}, {1}",
    "c.srai": "srai {0}, {0}, {1}",
    "c.andi": "andi {0}, {0}, {1}",
    "c.sub": "sub {0}, {0}, {1}",
    "c.xor": "xor {0}, {0}, {1}",
    "c.or": "or {0}, {0}, {1}",
    "c.and": "and {0}, {0}, {1}",
    "c.add": "add {0}, {0}, {1}",
    "c.mv": "add {0}, zero, {1}",
    "c.j": "jal zero, @{0}",
    "c.jal": "jal ra, @{0}",
    "c.jr": "jalr zero, 0({0})",
    "c.jalr": "jalr ra, 0({0})",
    "c.beqz": "beq {0}, zero, @{1}",
    "c.bnez": "bne {0}, zero, @{1}",
    "c.ebreak": "ebreak",
}


def expected(mnemonic: str, operands: list[str]) -> str | None:
    """The long form as the simulator prints it; None if RV32IMC has no such instruction."""
    if mnemonic not in LONG_FORMS:
        return None
    if mnemonic in ("c.slli", "c.srli", "c.srai") and int(operands[1], 0) >= 32:
        return None
    if mnemonic == "c.lui":
        if int(operands[1], 0) == 0:
            return None
        operands[1] = hex(int(operands[1], 0))
    else:
        numbers = r"-?0x[0-9a-f]+"
        operands = [re.sub(numbers, lambda m: str(int(m[0], 0)), each) for each in operands]
    text = LONG_FORMS[mnemonic].format(*operands)
    return re.sub(r"@(-?\d+)", lambda m: hex(PC + int(m[1])), text)


@pytest.mark.parametrize("quadrant", [0, 1, 2])
def test_every_encoding(quadrant: int) -> None:
    disassembler = capstone.Cs(
        capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC
    )
    compared = 0
    for word in range(quadrant, 1 << 16, 4):
        found = next(disassembler.disasm(word.to_bytes(2, "little"), PC), None)
        ours = _pulp.disassemble(word, PC)
        if found is None:
            # Reserved, or a hint, which writes x0.
            assert ours.startswith(".half") or ours.split()[1] == "zero,", hex(word)
            continue
        wanted = expected(found.mnemonic, found.op_str.split(", "))
        if wanted is None:
            assert ours == f".half 0x{word:04x}", found
        else:
            assert re.fullmatch(re.escape(wanted).replace(r"\*", "-?[0-9]+"), ours), found
            compared += 1
    assert compared == {0: 6136, 1: 15425, 2: 7009}[quadrant]
