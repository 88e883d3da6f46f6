# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small programs on the simulated cluster, without compiler or linker."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from tinyformer import _pulp

from pulp.assembler import REGISTERS, Assembler, Code

CODE = 0x1C010000
L1 = 0x10000000
L2 = 0x1C100000
RESULTS = 0x1C008000

_LOAD, _READ, _WRITE, _EXECUTE = 1, 4, 2, 1
_FUNCTION, _OBJECT = 2, 1

# The fabric controller starts the cores of a mask; each finds its own code by its number.
_BOOT = """
_start:
  li t0, 0x10200040
  li t1, cluster
  {boot}
  li t0, 0x10201400
  addi t1, zero, 1
  sw t1, 0(t0)
  li t0, 0x10200008
  addi t1, zero, {mask}
  sw t1, 0(t0)
  wfi
cluster:
  csrrs t0, 0xf14, zero
  {dispatch}
"""

# Registers of core 0 go to L2, tp not among them.
_FINISH = """
finish:
  li tp, 0x1c008000
  {stores}
exit:
  li tp, 0x1a1040a0
  lui t0, 0x80000
  sw t0, 0(tp)
  wfi
"""


def make_elf(
    code: Code, data: Mapping[int, bytes] | None = None, symbols: Mapping[str, int] | None = None
) -> bytes:
    """An executable with one segment for code and one for each block of data."""
    blocks = [(code.base, code.data, _READ | _EXECUTE)]
    blocks += [(address, block, _READ | _WRITE) for address, block in (data or {}).items()]
    names = b"\0"
    entries = struct.pack("<IIIBBH", 0, 0, 0, 0, 0, 0)
    functions = {name: (value, _FUNCTION) for name, value in code.labels.items() if name[0] != "."}
    objects = {name: (value, _OBJECT) for name, value in (symbols or {}).items()}
    for name, (value, kind) in (functions | objects).items():
        entries += struct.pack("<IIIBBH", len(names), value, 0, 1 << 4 | kind, 0, 0xFFF1)
        names += name.encode() + b"\0"
    offset = 52 + 32 * len(blocks) + 40 * 3
    headers, contents = b"", b""
    for address, block, flags in blocks:
        at = offset + len(contents)
        headers += struct.pack("<8I", _LOAD, at, address, address, len(block), len(block), flags, 4)
        contents += block
    tables = offset + len(contents)
    sections = bytes(40)
    sections += struct.pack("<10I", 0, 2, 0, 0, tables, len(entries), 2, 1, 4, 16)
    sections += struct.pack("<10I", 0, 3, 0, 0, tables + len(entries), len(names), 0, 0, 1, 0)
    header = b"\x7fELF" + bytes([1, 1, 1]) + bytes(9)
    header += struct.pack(
        "<HHIIIIIHHHHHH",
        *(2, 243, 1, code.labels.get("_start", code.base), 52, 52 + 32 * len(blocks), 0),
        *(52, 32, len(blocks), 40, 3, 2),
    )
    return header + headers + sections + contents + entries + names


def program(cores: Sequence[str]) -> str:
    """The text of a program in which core i executes cores[i] and then ends.

    The end of core 0 is that of the program. The others sleep.
    """
    boot = "\n".join(f"  sw t1, {4 * i}(t0)" for i in range(len(cores)))
    dispatch = ""
    for i in range(1, len(cores)):
        dispatch += f"\n  addi t1, zero, {i}\n  beq t0, t1, core{i}"
    text = _BOOT.format(boot=boot, mask=(1 << len(cores)) - 1, dispatch=dispatch)
    stores = "\n".join(
        f"  sw {name}, {4 * i}(tp)" for i, name in enumerate(REGISTERS) if name != "tp"
    )
    text += f"core0:\n{cores[0]}\n" + _FINISH.format(stores=stores)
    for i, core in enumerate(cores[1:], start=1):
        text += f"\n.align\ncore{i}:\n{core}\n  wfi\n"
    return text


class Finished:
    """A program that ran to its end."""

    def __init__(self, machine: Any, code: Code) -> None:
        self.machine = machine
        self.code = code

    def register(self, name: str) -> int:
        """A register of core 0 at its end."""
        return self.word(RESULTS + 4 * REGISTERS.index(name))

    def word(self, address: int) -> int:
        return int(struct.unpack("<I", self.machine.read(address, 4))[0])

    def events(self, core: int) -> dict[str, int]:
        return next(r["events"] for r in self.machine.core_reports() if r["hart"] == core)


def load(
    texts: str | Sequence[str],
    data: Mapping[int, bytes] | None = None,
    symbols: Mapping[str, int] | None = None,
    **options: Any,
) -> Finished:
    """A cluster with a program for each core in it. Without instruction cache unless asked for."""
    each = [texts] if isinstance(texts, str) else list(texts)
    code = Assembler(CODE).assemble(program(each))
    options = {"instruction_cache": False, "cycle_limit": 2_000_000} | options
    return Finished(_pulp.Machine(make_elf(code, data, symbols), **options), code)


def run(
    texts: str | Sequence[str],
    data: Mapping[int, bytes] | None = None,
    symbols: Mapping[str, int] | None = None,
    **options: Any,
) -> Finished:
    """The same, run to its end."""
    finished = load(texts, data, symbols, **options)
    finished.machine.run()
    return finished


def cycles_of(snippet: str, setup: str = "", **options: Any) -> int:
    """Cycles of a snippet on core 0; it must leave s10 and s11 alone."""
    text = f"{setup}\n.align\n  csrrs s10, 0xc00, zero\n{snippet}\n  csrrs s11, 0xc00, zero\n"
    finished = run(text, **options)
    return finished.register("s11") - finished.register("s10") - 1
