# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every instruction of XpulpV2: its encoding, its text, and what it computes.

The tables and the model in `pulp/` come from the specifications; the simulator has its own.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import pytest
from pulp.assembler import REGISTERS, Row, encode, table
from pulp.machine import L1, load
from pulp.model import BITS, result
from tinyformer import _pulp

CORNERS = (0, 1, 2, 7, 0x1F, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, BITS)
PLAIN = {"rD", "rs1", "rs2", "simm12", "uimm5", "uimm20", "simm6", "uimm6", "width", "offset"}
RANGES = {
    "simm12": (-2048, 2047),
    "uimm5": (0, 31),
    "uimm20": (0, 0xFFFFF),
    "simm6": (-32, 31),
    "uimm6": (0, 63),
    "width": (1, 32),
    "offset": (0, 31),
    "simm5": (-16, 15),
    "uimm12": (0, 4095),
    "csr": (0, 4095),
    "zimm5": (0, 31),
    "label": (-4096, 4094),
    "label20": (-(1 << 20), (1 << 20) - 2),
    "label12": (0, 8190),
    "label5": (0, 62),
}
ROWS = [*table("base"), *table("xpulpv2")]


def name_of(row: Row) -> str:
    return f"{row.mnemonic}-{'-'.join(row.operands)}".replace("!", "")


def random_operand(operand: str, rng: random.Random) -> int:
    if operand in ("rD", "rs1", "rs1!", "rs2", "rs3"):
        return rng.randrange(32)
    if operand == "L":
        return rng.randrange(2)
    low, high = RANGES[operand]
    value = rng.choice([low, high, rng.randint(low, high)])
    return value & ~1 if operand.startswith("label") else value


def test_the_simulator_has_exactly_these_encodings() -> None:
    ours = {(match, mask): name for name, match, mask in _pulp.instructions()}
    for row in ROWS:
        assert ours.pop((row.match, row.mask), None) == row.mnemonic, row
    assert sorted(ours.values()) == ["fence", "fence.i"]


def expected_text(row: Row, values: tuple[int, ...], pc: int) -> str:
    texts = []
    for operand, value in zip(row.operands, values, strict=True):
        if operand in ("rD", "rs1", "rs1!", "rs2", "rs3"):
            texts.append(REGISTERS[value] + ("!" if operand.endswith("!") else ""))
        elif operand == "L":
            texts.append(f"x{value}")
        elif operand.startswith("label"):
            texts.append(f"0x{pc + value & BITS:x}")
        elif operand in ("csr", "uimm20"):
            texts.append(f"0x{value:x}")
        else:
            texts.append(str(value))
    if row.opcode in (0x03, 0x0B, 0x23, 0x2B, 0x67):
        texts[-2:] = [f"{texts[-2]}({texts[-1]})"]
    return f"{row.mnemonic} {', '.join(texts)}".strip()


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_encoded_and_disassembled(row: Row) -> None:
    rng = random.Random(name_of(row))
    for _ in range(20):
        values = tuple(random_operand(operand, rng) for operand in row.operands)
        if row.mnemonic.endswith("N") and values[-1] == 0:
            continue  # the plain instruction: the same word
        pc = 0x1C010000 + 4 * rng.randrange(1000)
        assert _pulp.disassemble(encode(row, values), pc) == expected_text(row, values, pc)


@pytest.mark.parametrize(
    "word", [0x04001033, 0x00000000, 0xFFFFFFFF, 0x00007033 | 0x80 << 24, 0x0000707B, 0x00000F7B]
)
def test_what_is_no_instruction(word: int) -> None:
    assert _pulp.disassemble(word).startswith((".word", ".half"))


def computing_rows() -> Iterator[Row]:
    for row in ROWS:
        control = row.opcode in (0x03, 0x0B, 0x23, 0x2B, 0x63, 0x67, 0x6F, 0x73, 0x7B, 0x17)
        if not control and set(row.operands) <= PLAIN:
            yield row


@pytest.mark.parametrize("row", list(computing_rows()), ids=name_of)
def test_computes_what_the_model_does(row: Row) -> None:
    rng = random.Random(row.mnemonic)
    cases = []
    for index in range(60):
        pick = (lambda: rng.choice(CORNERS)) if index < 30 else (lambda: rng.getrandbits(32))
        immediates = [random_operand(o, rng) for o in row.operands if o not in ("rD", "rs1", "rs2")]
        cases.append((pick(), pick(), pick(), immediates))
    text = "  li s0, 0x10000000\n"
    for *_, immediates in cases:
        numbers = iter(immediates)
        places = {"rD": 12, "rs1": 10, "rs2": 11}
        values = [places[o] if o in places else next(numbers) for o in row.operands]
        text += "  p.lw a0, 4(s0!)\n  p.lw a1, 4(s0!)\n  lw a2, 0(s0)\n"
        text += f"  .word {encode(row, values)}\n  p.sw a2, 4(s0!)\n"
    data = b"".join(struct.pack("<III", a, b, old) for a, b, old, _ in cases)
    finished = load(text, {L1: data})
    finished.machine.run()
    got = struct.iter_unpack("<III", finished.machine.read(L1, len(data)))
    for (a, b, old, immediates), (*_, value) in zip(cases, got, strict=True):
        wanted = result(row.mnemonic, a, b, old, immediates)
        assert value == wanted, (
            f"{row.mnemonic} a={a:#x} b={b:#x} old={old:#x} {immediates}: "
            f"{value:#x} instead of {wanted:#x}"
        )


def test_every_computing_instruction_was_tested() -> None:
    names = {row.mnemonic for row in computing_rows()}
    assert len([name for name in names if name.startswith("p")]) == 272
