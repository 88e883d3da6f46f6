# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""An assembler of RV32IM and XpulpV2, made from tables that the simulator does not know.

A row of a table names the operands; where their bits lie follows from the name and the opcode, as
the specifications have it. What the simulator decodes is so compared with another source.
"""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent

_STORES = (0x23, 0x2B)
# The immediate of a vector: lowest bit at 25, the others from 20 on.
_VECTOR = 0x57

REGISTERS = (
    *("zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1"),
    *(f"a{i}" for i in range(8)),
    *(f"s{i}" for i in range(2, 12)),
    *("t3", "t4", "t5", "t6"),
)


@dataclass(frozen=True)
class Row:
    """One instruction of a table."""

    mnemonic: str
    operands: tuple[str, ...]
    match: int
    mask: int
    reads_destination: bool

    @property
    def opcode(self) -> int:
        return self.match & 0x7F

    @property
    def funct3(self) -> int:
        return self.match >> 12 & 7


@functools.cache
def table(name: str) -> tuple[Row, ...]:
    """The rows of xpulpv2.txt or base.txt."""
    rows = []
    for line in (_HERE / f"{name}.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        mnemonic, operands, match, mask, *rest = (part.strip() for part in line.split(";"))
        names = tuple(re.findall(r"[A-Za-z]\w*!?", operands.replace("rs1!)", "rs1!)")))
        rows.append(Row(mnemonic, names, int(match, 0), int(mask, 0), rest == ["reads-rD"]))
    return tuple(rows)


def _check(value: int, low: int, high: int, what: str) -> int:
    if not low <= value <= high:
        raise ValueError(f"{what} is {value}, outside {low}..{high}")
    return value


def _signed12(row: Row, value: int) -> int:
    value = _check(value, -2048, 2047, row.mnemonic) & 0xFFF
    if row.opcode in _STORES:
        return (value >> 5) << 25 | (value & 31) << 7
    return value << 20


def _branch(offset: int) -> int:
    value = _check(offset, -4096, 4094, "branch") & 0x1FFF
    return (
        (value >> 12) << 31
        | (value >> 5 & 63) << 25
        | (value >> 1 & 15) << 8
        | (value >> 11 & 1) << 7
    )


def _jump(offset: int) -> int:
    value = offset & 0x1FFFFF
    return (
        (value >> 20) << 31
        | (value >> 1 & 0x3FF) << 21
        | (value >> 11 & 1) << 20
        | (value >> 12 & 0xFF) << 12
    )


def _vector(value: int) -> int:
    return (value & 1) << 25 | (value >> 1 & 31) << 20


def _unsigned5(row: Row, value: int) -> int:
    _check(value, 0, 31, row.mnemonic)
    # Normalised arithmetic has its amount above rs2, everything else in the place of rs2.
    return value << 25 if row.opcode == 0x5B else value << 20


def _place(row: Row, operand: str, value: int) -> int:
    """The bits of one operand. Labels are given as offsets from the instruction."""
    if operand in ("rD", "rs3", "L"):
        return value << 7
    if operand in ("rs1", "rs1!"):
        return value << 15
    if operand == "rs2":
        return value << 20
    if operand == "simm12":
        return _signed12(row, value)
    if operand == "simm6":
        return _vector(_check(value, -32, 31, row.mnemonic) & 63)
    if operand == "uimm6":
        return _vector(_check(value, 0, 63, row.mnemonic))
    if operand == "uimm5":
        return _unsigned5(row, value)
    if operand == "simm5":
        return (_check(value, -16, 15, row.mnemonic) & 31) << 20
    if operand == "width":
        return (_check(value, 1, 32, row.mnemonic) - 1) << 25
    if operand == "offset":
        return _check(value, 0, 31, row.mnemonic) << 20
    if operand in ("uimm12", "csr"):
        return _check(value, 0, 4095, row.mnemonic) << 20
    if operand == "uimm20":
        return (value & 0xFFFFF) << 12
    if operand == "zimm5":
        return _check(value, 0, 31, row.mnemonic) << 15
    if operand == "label":
        return _branch(value)
    if operand == "label20":
        return _jump(value)
    if operand == "label12":
        return _check(value // 2, 0, 4095, row.mnemonic) << 20
    if operand == "label5":
        return _check(value // 2, 0, 31, row.mnemonic) << 15
    raise ValueError(f"{row.mnemonic}: unknown operand {operand}")


def encode(row: Row, values: Sequence[int]) -> int:
    """The word of an instruction; registers by number, labels as offsets."""
    word = row.match
    for operand, value in zip(row.operands, values, strict=True):
        word |= _place(row, operand, value)
    return word


def _shape(text: str) -> str:
    """Operands without their values: "a0, 4(a1!)" becomes "r,n(r!)"."""
    text = re.sub(r"\s", "", text)
    return re.sub(r"[^,()!]+", lambda m: "r" if m[0] in REGISTERS else "n", text)


@functools.cache
def _rows_by_shape() -> dict[tuple[str, str], Row]:
    rows: dict[tuple[str, str], Row] = {}
    for name in ("base", "xpulpv2"):
        for line, row in zip(_lines(name), table(name), strict=True):
            kinds = re.sub(r"rD|rs1|rs2|rs3", "r", line.replace(" ", ""))
            kinds = re.sub(r"[^,()!r]+\d*|width|offset", "n", kinds.replace("csr", "n"))
            rows[row.mnemonic, kinds] = row
    return rows


def _lines(name: str) -> list[str]:
    text = (_HERE / f"{name}.txt").read_text("utf-8")
    return [line.split(";")[1].strip() for line in text.splitlines() if line[0] != "#"]


@dataclass(frozen=True)
class Code:
    """Assembled bytes, and the addresses of labels."""

    base: int
    data: bytes
    labels: dict[str, int]


class Assembler:
    """Text to bytes, in two passes. Labels that begin with a dot are local, the others functions.

    Besides instructions: `li rd, value` (always 8 bytes), `.word value`, `.half value`, `.align 4`.
    """

    def __init__(self, base: int) -> None:
        self._base = base

    def assemble(self, text: str) -> Code:
        statements = self._statements(text)
        labels: dict[str, int] = {}
        address = self._base
        for kind, rest in statements:
            if kind == "label":
                labels[rest] = address
            elif kind == ".align":
                address += -address % 4
            else:
                address += {"li": 8, ".half": 2}.get(kind, 4)
        data = b""
        for kind, rest in statements:
            if kind != "label":
                data += self._bytes(kind, rest, self._base + len(data), labels)
        return Code(self._base, data, labels)

    @staticmethod
    def _statements(text: str) -> list[tuple[str, str]]:
        statements = []
        for raw in text.splitlines():
            line = raw.split("#")[0].strip()
            while ":" in line:
                label, _, line = line.partition(":")
                statements.append(("label", label.strip()))
                line = line.strip()
            if line:
                mnemonic, _, rest = line.partition(" ")
                statements.append((mnemonic, rest.strip()))
        return statements

    def _bytes(self, kind: str, rest: str, pc: int, labels: dict[str, int]) -> bytes:
        if kind == ".align":
            return bytes.fromhex("0100") * ((-pc % 4) // 2)
        if kind == ".half":
            return struct.pack("<H", int(rest, 0))
        if kind == ".word":
            return struct.pack("<I", int(rest, 0))
        if kind == "li":
            return self._load_immediate(rest, labels)
        return struct.pack("<I", self._instruction(kind, rest, pc, labels))

    @staticmethod
    def _load_immediate(rest: str, labels: dict[str, int]) -> bytes:
        register, _, value = (part.strip() for part in rest.partition(","))
        number = labels[value] if value in labels else int(value, 0)
        low = (number + 0x800 & 0xFFF) - 0x800
        rd = REGISTERS.index(register)
        upper = (number - low & 0xFFFFFFFF) | rd << 7 | 0x37
        return struct.pack("<II", upper, (low & 0xFFF) << 20 | rd << 15 | rd << 7 | 0x13)

    @staticmethod
    def _instruction(mnemonic: str, rest: str, pc: int, labels: dict[str, int]) -> int:
        row = _rows_by_shape()[mnemonic, _shape(rest)]
        values = []
        for operand, text in zip(row.operands, re.findall(r"[^,()!\s]+", rest), strict=True):
            if text in REGISTERS:
                values.append(REGISTERS.index(text))
            elif operand.startswith("label"):
                values.append(labels[text] - pc)
            elif operand == "L":
                values.append(int(text.removeprefix("x")))
            else:
                values.append(int(text, 0))
        return encode(row, values)
